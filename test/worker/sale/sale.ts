// What the tests of a running sale share: the routes around a claim, a clock that stands, and what must add up at the end.

import { runInDurableObject } from "cloudflare:test";
import { expect, onTestFinished, vi } from "vitest";

import { look, send, type Answer } from "../../support/api.ts";
import { stored, stubOf, type Stored } from "../../support/storage.ts";

/**
 * When these sales happen. Far ahead of the platform's own clock, which no test can set: an alarm that is due then never goes
 * off by itself.
 */
export const T0 = Date.parse("2031-03-01T12:00:00.000Z");
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/** Sets the clock of the Worker and of every object; the end of the test lets it go. */
export function setClock(at: number): void {
  if (!vi.isFakeTimers()) {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
  }
  vi.setSystemTime(at);
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}

export function pathOf(name: string, ...rest: readonly string[]): string {
  return ["/api/coupons", ...[name, ...rest].map(encodeURIComponent)].join("/");
}

export function change(name: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return send("PATCH", pathOf(name), { body, headers });
}

export function remove(name: string): Promise<Answer> {
  return send("DELETE", pathOf(name));
}

export function hold(name: string, userId: string, ttlSeconds: unknown = 60): Promise<Answer> {
  return send("POST", pathOf(name, "holds"), { body: { user_id: userId, ttl_seconds: ttlSeconds } });
}

export function releaseHold(name: string, userId: string): Promise<Answer> {
  return send("DELETE", pathOf(name, "holds", userId));
}

export function own(name: string, userId: string): Promise<Answer> {
  return send("GET", pathOf(name, "claims", userId));
}

/** Takes a claim back; `query` as in `?position=1`. */
export function release(name: string, userId: string, query = ""): Promise<Answer> {
  return send("DELETE", pathOf(name, "claims", userId) + query);
}

export function list(name: string, query = ""): Promise<Answer> {
  return send("GET", pathOf(name, "claims") + query);
}

export function status(name: string): Promise<Answer> {
  return send("GET", pathOf(name, "status"));
}

/** A refusal as `404 coupon_not_found`, a success as its status. */
export function outcome({ status: code, body }: Answer): string {
  return code < 400 ? `${code}` : `${code} ${String(body["code"])}`;
}

/** The ledger's head that an answer names. */
export function seqOf({ headers }: Answer): number {
  return Number(headers.get("Coupon-Seq"));
}

/** Runs one statement in the object's own database. */
export function run(name: string, statement: string): Promise<void> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => {
    storage.sql.exec(statement);
  });
}

/** When the object's alarm is due, null where none is set. */
export function alarmOf(name: string): Promise<number | null> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => storage.getAlarm());
}

/** What the ledger says by itself, its events told over from the first; `faults` names the events that can't have happened. */
type Retold = {
  amount: number;
  lastPosition: number;
  readonly claims: Map<string, number>;
  readonly holds: Map<string, number>;
  readonly faults: string[];
};
type Event = Stored["ledger"][number];

/** Lets one event happen, and answers whether it could. */
const EVENTS: Readonly<Record<string, (told: Retold, user: string, event: Event) => boolean>> = {
  created: (told, _user, event) => setAmount(told, event),
  changed: (told, _user, event) => setAmount(told, event),
  claimed(told, user, { position }) {
    const isNew = !told.claims.has(user);
    told.lastPosition += 1;
    told.claims.set(user, told.lastPosition);
    told.holds.delete(user);
    return isNew && position === told.lastPosition;
  },
  released(told, user, { position }) {
    const isTheirs = told.claims.get(user) === position;
    return told.claims.delete(user) && isTheirs;
  },
  held(told, user, event) {
    const isNew = !told.claims.has(user) && !told.holds.has(user);
    told.holds.set(user, factsOf(event)["expires_at"] ?? 0);
    return isNew;
  },
  given_back: (told, user) => told.holds.delete(user),
  expired: (told, user, { at }) => (told.holds.get(user) ?? Infinity) <= at && told.holds.delete(user),
};

function factsOf({ data }: Event): Record<string, number> {
  return JSON.parse(data ?? "{}") as Record<string, number>;
}

function setAmount(told: Retold, event: Event): boolean {
  told.amount = factsOf(event)["amount"] ?? 0;
  return told.amount > 0;
}

function retell(ledger: Stored["ledger"]): Retold {
  const told: Retold = { amount: 0, lastPosition: 0, claims: new Map(), holds: new Map(), faults: [] };
  for (const event of ledger) {
    const couldHappen = EVENTS[event.kind]?.(told, event.user_id ?? "", event) ?? false;
    const fits = told.claims.size + told.holds.size <= told.amount;
    if (!couldHappen || !fits) told.faults.push(JSON.stringify(event));
  }
  return told;
}

/**
 * Expects that coupon `name` adds up: its ledger, told over by itself, never gives more than there is nor anything twice, and
 * ends at what the tables hold and the API shows; its instants never fall.
 */
export async function expectSound(name: string): Promise<Stored> {
  const { body } = await look(name);
  const tables = await stored(name);
  const { coupon, claims, holds, ledger } = tables;
  const told = retell(ledger);

  expect(told.faults).toEqual([]);
  expect(ledger.map(({ seq }) => seq)).toEqual(ledger.map((_, index) => index + 1));
  expect(ledger.map(({ at }) => at)).toEqual(ledger.map(({ at }) => at).sort((a, b) => a - b));
  expect(new Map(claims.map(({ user_id, position }) => [user_id, position]))).toEqual(told.claims);
  expect(new Map(holds.map(({ user_id, expires_at }) => [user_id, expires_at]))).toEqual(told.holds);
  expect(coupon).toMatchObject({
    amount: told.amount,
    claimed: told.claims.size,
    held: told.holds.size,
    last_position: told.lastPosition,
    seq: ledger.length,
  });
  expect(body).toMatchObject({
    amount: told.amount,
    remaining_amount: told.amount - told.claims.size - told.holds.size,
    claimed_by: [...told.claims.keys()],
  });
  return tables;
}
