// The ledger of one coupon, replayed from its first event by nothing but its events.

import { expect } from "vitest";

import type { Sql } from "../../src/engine/sql.ts";

type Event = {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly user_id: string | null;
  readonly position: number | null;
  readonly data: string | null;
};

/** Who has a claim at which position, who holds until when, and how many units there are. */
export type Replayed = {
  amount: number;
  lastPosition: number;
  readonly claims: Map<string, number>;
  readonly holds: Map<string, number>;
};

const EVENTS: Readonly<Record<string, (state: Replayed, user: string, event: Event) => unknown>> = {
  created: (state, _user, event) => (state.amount = factsOf(event)["amount"] ?? 0),
  changed: (state, _user, event) => (state.amount = factsOf(event)["amount"] ?? 0),
  claimed(state, user, { position }) {
    state.lastPosition = position ?? 0;
    state.claims.set(user, state.lastPosition);
    state.holds.delete(user);
  },
  released: (state, user) => state.claims.delete(user),
  held: (state, user, event) => state.holds.set(user, factsOf(event)["expires_at"] ?? 0),
  given_back: (state, user) => state.holds.delete(user),
  expired: (state, user) => state.holds.delete(user),
};

function factsOf({ data }: Event): Record<string, number> {
  return JSON.parse(data ?? "{}") as Record<string, number>;
}

/** Expects the ledger, replayed, to end at what the tables hold, with no gap and with instants that never fall. */
export function expectReplayed(sql: Sql): Replayed {
  const ledger = sql.all<Event>("SELECT seq, at, kind, user_id, position, data FROM ledger ORDER BY seq");
  const state: Replayed = { amount: 0, lastPosition: 0, claims: new Map(), holds: new Map() };
  for (const event of ledger) {
    EVENTS[event.kind]?.(state, event.user_id ?? "", event);
    if (state.claims.size + state.holds.size > state.amount) throw new Error(`more given than there is: ${JSON.stringify(event)}`);
  }

  expect(ledger.map(({ seq }) => seq)).toEqual(ledger.map((_, index) => index + 1));
  expect(ledger.map(({ at }) => at)).toEqual(ledger.map(({ at }) => at).sort((a, b) => a - b));
  const claims = sql.all<{ user_id: string; position: number }>("SELECT user_id, position FROM claims");
  expect(new Map(claims.map(({ user_id, position }) => [user_id, position]))).toEqual(state.claims);
  const holds = sql.all<{ user_id: string; expires_at: number }>("SELECT user_id, expires_at FROM holds");
  expect(new Map(holds.map(({ user_id, expires_at }) => [user_id, expires_at]))).toEqual(state.holds);
  expect(sql.all("SELECT amount, claimed, held, last_position, seq FROM coupon")).toEqual([
    { amount: state.amount, claimed: state.claims.size, held: state.holds.size, last_position: state.lastPosition, seq: ledger.length },
  ]);
  return state;
}
