// The ledger of one coupon, told over from its first event by nothing but its events.

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
export type Retold = {
  amount: number;
  lastPosition: number;
  readonly claims: Map<string, number>;
  readonly holds: Map<string, number>;
};

const EVENTS: Readonly<Record<string, (told: Retold, user: string, event: Event) => unknown>> = {
  created: (told, _user, event) => (told.amount = factsOf(event)["amount"] ?? 0),
  changed: (told, _user, event) => (told.amount = factsOf(event)["amount"] ?? 0),
  claimed(told, user, { position }) {
    told.lastPosition = position ?? 0;
    told.claims.set(user, told.lastPosition);
    told.holds.delete(user);
  },
  released: (told, user) => told.claims.delete(user),
  held: (told, user, event) => told.holds.set(user, factsOf(event)["expires_at"] ?? 0),
  given_back: (told, user) => told.holds.delete(user),
  expired: (told, user) => told.holds.delete(user),
};

function factsOf({ data }: Event): Record<string, number> {
  return JSON.parse(data ?? "{}") as Record<string, number>;
}

/** Expects the ledger, told over, to end at what the tables hold, with no gap and with instants that never fall. */
export function expectRetold(sql: Sql): Retold {
  const ledger = sql.all<Event>("SELECT seq, at, kind, user_id, position, data FROM ledger ORDER BY seq");
  const told: Retold = { amount: 0, lastPosition: 0, claims: new Map(), holds: new Map() };
  for (const event of ledger) {
    EVENTS[event.kind]?.(told, event.user_id ?? "", event);
    if (told.claims.size + told.holds.size > told.amount) throw new Error(`more given than there is: ${JSON.stringify(event)}`);
  }

  expect(ledger.map(({ seq }) => seq)).toEqual(ledger.map((_, index) => index + 1));
  expect(ledger.map(({ at }) => at)).toEqual(ledger.map(({ at }) => at).sort((a, b) => a - b));
  const claims = sql.all<{ user_id: string; position: number }>("SELECT user_id, position FROM claims");
  expect(new Map(claims.map(({ user_id, position }) => [user_id, position]))).toEqual(told.claims);
  const holds = sql.all<{ user_id: string; expires_at: number }>("SELECT user_id, expires_at FROM holds");
  expect(new Map(holds.map(({ user_id, expires_at }) => [user_id, expires_at]))).toEqual(told.holds);
  expect(sql.all("SELECT amount, claimed, held, last_position, seq FROM coupon")).toEqual([
    { amount: told.amount, claimed: told.claims.size, held: told.holds.size, last_position: told.lastPosition, seq: ledger.length },
  ]);
  return told;
}
