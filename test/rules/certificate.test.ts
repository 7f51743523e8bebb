// The rules of certificates as truth tables: what can be certified, what contradicts a certificate, and which users it covers.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import * as rules from "../../src/domain/certificate.ts";
import { pseudonymOf } from "../../src/domain/pseudonym.ts";
import type { Coupon } from "../../src/domain/coupon.ts";
import { COUPON, T0 } from "./facts.ts";

type Facts = Partial<Coupon>;

const SOLD_OUT: Facts = { claimed: 1, lastPosition: 1 };
const PAUSED: Facts = { paused: true };
const SCHEDULED: Facts = { startsAt: T0 + 60_000 };
const ENDED: Facts = { endsAt: T0 - 1 };

function coupon(facts: Facts): Coupon {
  return { ...COUPON, ...facts };
}

test.for<readonly [condition: string, certified: string, facts: Facts]>([
  ["that is open", "nothing", {}],
  ["that is sold out", "out_of_stock for 1000 ms", SOLD_OUT],
  ["sold out 1100 ms before the end", "out_of_stock for 1000 ms", { ...SOLD_OUT, endsAt: T0 + 1_100 }],
  ["sold out 1099 ms before the end", "out_of_stock for 999 ms", { ...SOLD_OUT, endsAt: T0 + 1_099 }],
  ["sold out 101 ms before the end", "out_of_stock for 1 ms", { ...SOLD_OUT, endsAt: T0 + 101 }],
  ["sold out 100 ms before the end", "nothing", { ...SOLD_OUT, endsAt: T0 + 100 }],
  ["1100 ms before its hold expires", "out_of_stock for 1000 ms", { held: 1, nextExpiryAt: T0 + 1_100 }],
  ["1099 ms before its hold expires", "out_of_stock for 999 ms", { held: 1, nextExpiryAt: T0 + 1_099 }],
  ["101 ms before its hold expires", "out_of_stock for 1 ms", { held: 1, nextExpiryAt: T0 + 101 }],
  ["100 ms before its hold expires", "nothing", { held: 1, nextExpiryAt: T0 + 100 }],
  ["whose hold outlasts the sale of 400 ms", "out_of_stock for 300 ms", { held: 1, nextExpiryAt: T0 + 500, endsAt: T0 + 400 }],
  ["whose hold of 400 ms ends before the sale", "out_of_stock for 300 ms", { held: 1, nextExpiryAt: T0 + 400, endsAt: T0 + 500 }],
  ["1 ms after the end", "sale_ended for 1000 ms", ENDED],
  ["at the end", "sale_ended for 1000 ms", { endsAt: T0 }],
  ["that ended with a hold", "sale_ended for 1000 ms", { ...ENDED, amount: 2, held: 1, nextExpiryAt: T0 + 50 }],
  ["a minute before the start", "sale_not_started for 1000 ms", SCHEDULED],
  ["1100 ms before the start", "sale_not_started for 1000 ms", { startsAt: T0 + 1_100 }],
  ["1099 ms before the start", "sale_not_started for 999 ms", { startsAt: T0 + 1_099 }],
  ["101 ms before the start", "sale_not_started for 1 ms", { startsAt: T0 + 101 }],
  ["100 ms before the start", "nothing", { startsAt: T0 + 100 }],
  ["scheduled and paused, with a hold", "sale_not_started for 1000 ms", { ...SCHEDULED, paused: true, held: 1, nextExpiryAt: T0 + 50 }],
  ["that is paused", "sale_paused for 1000 ms", PAUSED],
  ["paused 1099 ms before the end", "sale_paused for 999 ms", { ...PAUSED, endsAt: T0 + 1_099 }],
  ["paused 100 ms before the end", "nothing", { ...PAUSED, endsAt: T0 + 100 }],
  ["paused 50 ms before its hold expires", "sale_paused for 1000 ms", { ...PAUSED, held: 1, nextExpiryAt: T0 + 50 }],
])("a coupon %s certifies %s", ([, certified, facts]) => {
  const statement = rules.certifiable(coupon(facts), T0);
  expect(statement === null ? "nothing" : `${statement.code} for ${statement.validForMs} ms`).toBe(certified);
  expect(statement?.startsAt ?? null).toBe(certified.startsWith("sale_not_started") ? facts.startsAt : null);
});

const LEASE_UNTIL = T0 + 1_100;
test.for<readonly [name: string, before: Facts, after: Facts | null]>([
  ["a restock", SOLD_OUT, { amount: 2 }],
  ["a revoked claim", SOLD_OUT, { claimed: 0 }],
  ["a released hold", { held: 1, nextExpiryAt: T0 + 60_000 }, { held: 0, nextExpiryAt: null }],
  ["a delete of a sold-out coupon", SOLD_OUT, null],
  ["an end moved to now", SOLD_OUT, { endsAt: T0 }],
  ["a paused sale that resumes", PAUSED, { paused: false }],
  ["a delete of a paused coupon", PAUSED, null],
  ["a start moved earlier", SCHEDULED, { startsAt: T0 + 30_000 }],
  ["an ended sale that opens again", ENDED, { endsAt: T0 + 60_000 }],
  ["a delete of an ended coupon", ENDED, null],
])("%s contradicts the certificates in use", ([, before, after]) => {
  const next = after === null ? null : coupon({ ...before, ...after });
  expect(rules.contradicts(coupon(before), next, T0, LEASE_UNTIL)).toBe(true);
  expect(rules.contradicts(coupon(before), next, T0, T0)).toBe(false);
});

test.for<readonly [name: string, before: Facts, after: Facts | null]>([
  ["a delete of an open coupon", {}, null],
  ["a claim of the last unit", {}, SOLD_OUT],
  ["an end moved to the end of the lease", SOLD_OUT, { endsAt: T0 + 1_100 }],
  ["a limit for holds", SOLD_OUT, { holdsMax: 1, holdSecondsMax: 1 }],
  ["a hold that becomes a claim", { held: 1, nextExpiryAt: T0 + 500 }, { held: 0, nextExpiryAt: null, ...SOLD_OUT }],
  ["an end behind the hold that expires next", { held: 1, nextExpiryAt: T0 + 300 }, { endsAt: T0 + 400 }],
  ["a restock before the start", SCHEDULED, { amount: 2 }],
])("%s contradicts no certificate in use", ([, before, after]) => {
  expect(rules.contradicts(coupon(before), after === null ? null : coupon({ ...before, ...after }), T0, LEASE_UNTIL)).toBe(false);
});

/** The statement at `at`. A sold-out coupon has none once a hold may have expired. */
function certainAt(one: Coupon, at: number): string | null {
  const isUncertain = one.nextExpiryAt !== null && one.nextExpiryAt <= at;
  const stated = rules.statementOf(one, at);
  return stated === null || (stated.code === "out_of_stock" && isUncertain) ? null : JSON.stringify(stated);
}

/** The instants of the lease, from T0 on, at which the statement of T0 still stands. */
function statedInstants(one: Coupon, leaseMs: number): number[] {
  const stated = certainAt(one, T0);
  const instants = Array.from({ length: leaseMs }, (_, index) => T0 + index);
  const end = instants.findIndex((at) => certainAt(one, at) !== stated);
  if (stated === null) return [];
  return end === -1 ? instants : instants.slice(0, end);
}

test("a random change contradicts exactly when an instant of the lease has another statement", () => {
  const instant = fc.option(fc.integer({ min: -2, max: 12 }).map((afterMs) => T0 + afterMs));
  const facts = fc
    .record({ claimed: fc.nat(1), held: fc.nat(1), paused: fc.boolean(), startsAt: instant, endsAt: instant })
    .filter(({ startsAt, endsAt }) => (startsAt ?? -Infinity) < (endsAt ?? Infinity));
  const any = fc.tuple(facts, fc.integer({ min: 1, max: 12 })).map(([one, expiresAfterMs]): Coupon => {
    return coupon({ ...one, amount: 2, nextExpiryAt: one.held === 0 ? null : T0 + expiresAfterMs });
  });
  const change = fc.property(any, any, fc.nat(12), (before, after, leaseMs) => {
    const stated = certainAt(before, T0);
    const isAnother = statedInstants(before, leaseMs).some((at) => certainAt(after, at) !== stated);
    expect(rules.contradicts(before, after, T0, T0 + leaseMs)).toBe(isAnother);
  });
  expect(() => fc.assert(change, { numRuns: 20_000 })).not.toThrow();
});

test("a lease ends 100 ms after its certificate", () => {
  expect([rules.leaseEnd(0, 1_000), rules.leaseEnd(T0, 250)]).toEqual([1_100, T0 + 350]);
});

const CERTIFICATE: rules.Certificate = {
  code: "out_of_stock",
  startsAt: null,
  epoch: "epoch-1",
  seq: 7,
  validForMs: 1_000,
  startsInMs: 0,
  isAnyKeyNew: false,
  erasureKey: null,
  bypassSeq: 5,
  bypass: ["uann", "korder-1"],
};

function held(more: Partial<rules.Certificate> = {}): rules.HeldCertificate {
  const certificate = rules.received({ ...CERTIFICATE, ...more }, null, T0);
  if (certificate === null) throw new Error("a certificate with a bypass set is always held");
  return certificate;
}

test.for<readonly [claim: string, isCovered: boolean, userId: string, key: string | null, afterMs: number, isAnyKeyNew: boolean]>([
  ["a user outside the set", true, "bob", null, 0, false],
  ["a user outside the set after 999 ms", true, "bob", null, 999, false],
  ["a user outside the set after 1000 ms", false, "bob", null, 1_000, false],
  ["a user outside the set 1 ms before the request", false, "bob", null, -1, false],
  ["a user outside the set an hour before the request", false, "bob", null, -3_600_000, false],
  ["a user in the set", false, "ann", null, 0, false],
  ["a user in the set with a new key", false, "ann", "order-2", 0, false],
  ["a user outside the set with a key in it", false, "bob", "order-1", 0, false],
  ["a user outside the set with a new key", true, "bob", "order-2", 0, false],
  ["a user named as a key, with a key named as a user", true, "order-1", "ann", 0, false],
  ["a user outside the set while any key may be new", true, "bob", null, 0, true],
  ["a user with a key while any key may be new", false, "bob", "order-2", 0, true],
  ["a user in the set while any key may be new", false, "ann", null, 0, true],
])("a claim by %s is covered: %s", ([, isCovered, userId, key, afterMs, isAnyKeyNew]) => {
  expect(rules.covers(held({ isAnyKeyNew }), { userId, key }, T0 + afterMs)).toBe(isCovered);
});

test("a certificate with an erasure key covers neither an id nor its pseudonym in the set", () => {
  const erasureKey = "0f".repeat(32);
  const certificate = held({ erasureKey, bypass: ["uann", `u${pseudonymOf(erasureKey, "bob")}`] });
  const covered = ["ann", "bob", "cid"].map((userId) => rules.covers(certificate, { userId, key: null }, T0));
  expect(covered).toEqual([false, false, true]);
});

const BEFORE = held({ code: "sale_not_started", startsAt: T0 + 60_000, startsInMs: 60_000 });
const next = { ...CERTIFICATE, bypass: null, seq: 9, validForMs: 400 };

test("a certificate without a set keeps the held set that it names", () => {
  const certificate = rules.received(next, BEFORE, T0 + 700);
  const { mayContain: has, ...stated } = certificate ?? BEFORE;
  expect(stated).toEqual({
    code: "out_of_stock",
    startsAt: null,
    epoch: "epoch-1",
    seq: 9,
    validForMs: 400,
    startsInMs: 0,
    isAnyKeyNew: false,
    erasureKey: null,
    bypassSeq: 5,
    requestedAt: T0 + 700,
    bytes: 24,
  });
  expect(["uann", "korder-1", "ubob"].map(has)).toEqual([true, true, false]);
});

test.for<readonly [name: string, certificate: Partial<rules.Certificate>, before: rules.HeldCertificate | null]>([
  ["another epoch", { epoch: "epoch-2" }, BEFORE],
  ["a newer bypassSeq", { bypassSeq: 6 }, BEFORE],
  ["an older bypassSeq", { bypassSeq: 4 }, BEFORE],
  ["no held certificate", {}, null],
])("a certificate without a set is not held with %s", ([, certificate, before]) => {
  expect(rules.received({ ...next, ...certificate }, before, T0)).toBeNull();
});

test("a certificate with a set replaces the held set", () => {
  const certificate = rules.received({ ...CERTIFICATE, epoch: "epoch-2", bypass: ["ubob"] }, BEFORE, T0);
  expect(["uann", "korder-1", "ubob"].map((member) => certificate?.mayContain(member))).toEqual([false, false, true]);
});

test.for([
  [0, 60_000],
  [999, 59_001],
  [60_000, 1],
  [70_000, 1],
] as const)("%i ms after the request of a certificate its start is %i ms away", ([afterMs, startsInMs]) => {
  const certificate = held({ code: "sale_not_started", startsAt: T0 + 60_000, startsInMs: 60_000 });
  expect(rules.startAt(certificate, T0 + afterMs)).toEqual({ startsAt: T0 + 60_000, startsInMs });
});

test("a certificate without a start names none", () => {
  expect(rules.startAt(held(), T0)).toEqual({});
});
