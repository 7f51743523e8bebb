// The rules of certificates as truth tables: what can be certified, what contradicts it, and whom it covers. All numbers are literal.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import * as rules from "../../src/domain/certificate.ts";
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

describe("a coupon can certify", () => {
  test.for<readonly [state: string, facts: Facts, validForMs: number | null]>([
    ["nothing while it is open", {}, null],
    ["out_of_stock", SOLD_OUT, 1_000],
    ["out_of_stock", { ...SOLD_OUT, endsAt: T0 + 1_100 }, 1_000],
    ["out_of_stock", { ...SOLD_OUT, endsAt: T0 + 1_099 }, 999],
    ["out_of_stock", { ...SOLD_OUT, endsAt: T0 + 101 }, 1],
    ["nothing 100 ms before the end", { ...SOLD_OUT, endsAt: T0 + 100 }, null],
    ["nothing 99 ms before the end", { ...SOLD_OUT, endsAt: T0 + 99 }, null],
    ["out_of_stock", { held: 1, nextExpiryAt: T0 + 1_100 }, 1_000],
    ["out_of_stock", { held: 1, nextExpiryAt: T0 + 1_099 }, 999],
    ["out_of_stock", { held: 1, nextExpiryAt: T0 + 101 }, 1],
    ["nothing 100 ms before a hold expires", { held: 1, nextExpiryAt: T0 + 100 }, null],
    ["out_of_stock", { held: 1, nextExpiryAt: T0 + 500, endsAt: T0 + 400 }, 300],
    ["out_of_stock", { held: 1, nextExpiryAt: T0 + 400, endsAt: T0 + 500 }, 300],
    ["sale_ended", ENDED, 1_000],
    ["sale_ended", { endsAt: T0 }, 1_000],
    ["sale_ended", { ...ENDED, amount: 2, held: 1, nextExpiryAt: T0 + 50 }, 1_000],
    ["sale_not_started", SCHEDULED, 1_000],
    ["sale_not_started", { startsAt: T0 + 1_100 }, 1_000],
    ["sale_not_started", { startsAt: T0 + 1_099 }, 999],
    ["sale_not_started", { startsAt: T0 + 101 }, 1],
    ["nothing 100 ms before the start", { startsAt: T0 + 100 }, null],
    ["sale_not_started", { ...SCHEDULED, paused: true, amount: 2, held: 1, nextExpiryAt: T0 + 50 }, 1_000],
    ["sale_paused", PAUSED, 1_000],
    ["sale_paused", { ...PAUSED, endsAt: T0 + 1_099 }, 999],
    ["nothing 100 ms before the end of a paused sale", { ...PAUSED, endsAt: T0 + 100 }, null],
    ["sale_paused", { ...PAUSED, held: 1, nextExpiryAt: T0 + 50 }, 1_000],
  ])("%s of %o for %o ms", ([state, facts, validForMs]) => {
    const startsAt = state === "sale_not_started" ? facts.startsAt : null;
    expect(rules.certifiable(coupon(facts), T0)).toEqual(validForMs === null ? null : { code: state, startsAt, validForMs });
  });
});

describe("certificates in use until T0 + 1100 are contradicted by", () => {
  const LEASE_UNTIL = T0 + 1_100;
  test.for<readonly [name: string, before: Facts, after: Facts | null]>([
    ["a restock", SOLD_OUT, { amount: 2 }],
    ["a revoked claim", SOLD_OUT, { claimed: 0 }],
    ["a released hold", { held: 1, nextExpiryAt: T0 + 60_000 }, { held: 0, nextExpiryAt: null }],
    ["a delete of a sold-out coupon", SOLD_OUT, null],
    ["a pause of a sold-out coupon", SOLD_OUT, PAUSED],
    ["an end moved to now", SOLD_OUT, { endsAt: T0 }],
    ["an end moved to before the lease ends", SOLD_OUT, { endsAt: T0 + 1_099 }],
    ["a start moved behind now", SOLD_OUT, { startsAt: T0 + 1 }],
    ["an end moved earlier, before the lease ends", { ...SOLD_OUT, endsAt: T0 + 500 }, { endsAt: T0 + 499 }],
    ["a paused sale that resumes", PAUSED, { paused: false }],
    ["an end of a paused sale moved to before the lease ends", PAUSED, { endsAt: T0 + 1_099 }],
    ["a delete of a paused coupon", PAUSED, null],
    ["a start moved earlier", SCHEDULED, { startsAt: T0 + 30_000 }],
    ["a start moved later", SCHEDULED, { startsAt: T0 + 90_000 }],
    ["a start taken away", SCHEDULED, { startsAt: null }],
    ["a delete of a scheduled coupon", SCHEDULED, null],
    ["an ended sale that opens again", ENDED, { endsAt: T0 + 60_000 }],
    ["a delete of an ended coupon", ENDED, null],
  ])("%s", ([, before, after]) => {
    const next = after === null ? null : coupon({ ...before, ...after });
    expect(rules.contradicts(coupon(before), next, T0, LEASE_UNTIL)).toBe(true);
    expect(rules.contradicts(coupon(before), next, T0, T0)).toBe(false);
  });

  test.for<readonly [name: string, before: Facts, after: Facts | null]>([
    ["a delete of an open coupon", {}, null],
    ["a pause of an open coupon", {}, PAUSED],
    ["a claim of the last unit", {}, SOLD_OUT],
    ["a sold-out coupon that stays as it is", SOLD_OUT, {}],
    ["an end moved to the end of the lease", SOLD_OUT, { endsAt: T0 + 1_100 }],
    ["an end moved later, before the lease ends", { ...SOLD_OUT, endsAt: T0 + 500 }, { endsAt: T0 + 501 }],
    ["a limit for holds", SOLD_OUT, { holdsMax: 1, holdSecondsMax: 1 }],
    ["a hold that becomes a claim", { held: 1, nextExpiryAt: T0 + 500 }, { held: 0, nextExpiryAt: null, ...SOLD_OUT }],
    ["an end behind the hold that expires next", { held: 1, nextExpiryAt: T0 + 300 }, { endsAt: T0 + 400 }],
    ["a restock of a paused sale", PAUSED, { amount: 2 }],
    ["a claim revoked while the sale is paused", { ...PAUSED, ...SOLD_OUT }, { claimed: 0 }],
    ["an end of a paused sale moved to the end of the lease", PAUSED, { endsAt: T0 + 1_100 }],
    ["a pause before the start", SCHEDULED, PAUSED],
    ["a restock before the start", SCHEDULED, { amount: 2 }],
    ["an end moved before the start", { ...SCHEDULED, endsAt: T0 + 90_000 }, { endsAt: T0 + 70_000 }],
    ["an end moved earlier behind the end", ENDED, { endsAt: T0 - 2 }],
    ["a restock behind the end", ENDED, { amount: 2 }],
  ])("all but %s", ([, before, after]) => {
    expect(rules.contradicts(coupon(before), after === null ? null : coupon({ ...before, ...after }), T0, LEASE_UNTIL)).toBe(false);
  });
});

test("a restock is contradicted up to the last millisecond of the lease", () => {
  const restocked = coupon({ ...SOLD_OUT, amount: 2 });
  const at = (leaseUntil: number) => rules.contradicts(coupon(SOLD_OUT), restocked, T0, leaseUntil);
  expect([at(T0 + 1), at(T0), at(T0 - 1), at(0)]).toEqual([true, false, false, false]);
});

/** The statement at `at`; of a sold-out coupon none once a hold may have expired. */
function certainAt(one: Coupon, at: number): string | null {
  const isUncertain = one.nextExpiryAt !== null && one.nextExpiryAt <= at;
  const stated = rules.statementOf(one, at);
  return stated === null || (stated.code === "out_of_stock" && isUncertain) ? null : JSON.stringify(stated);
}

/** The instants from T0 until the lease ends at which the statement of T0 stands, if there is one. */
function statedInstants(one: Coupon, leaseMs: number): number[] {
  const stated = certainAt(one, T0);
  const instants = Array.from({ length: leaseMs }, (_, index) => T0 + index);
  const end = instants.findIndex((at) => certainAt(one, at) !== stated);
  if (stated === null) return [];
  return end === -1 ? instants : instants.slice(0, end);
}

test("a change contradicts exactly when some instant of the lease makes another statement", () => {
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

test("a lease ends 100 ms behind the certificate's validity", () => {
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
  bypassSeq: 5,
  bypass: ["uann", "korder-1"],
};

function held(more: Partial<rules.Certificate> = {}): rules.HeldCertificate {
  const certificate = rules.received({ ...CERTIFICATE, ...more }, null, T0);
  if (certificate === null) throw new Error("a certificate with a bypass set is always held");
  return certificate;
}

describe("a certificate requested at T0 for 1000 ms", () => {
  test.for<readonly [userId: string, key: string | null, afterMs: number, isAnyKeyNew: boolean, isCovered: boolean]>([
    ["bob", null, 0, false, true],
    ["bob", null, 999, false, true],
    ["bob", null, 1_000, false, false],
    ["bob", null, 1_001, false, false],
    ["bob", null, -1, false, false],
    ["bob", null, -3_600_000, false, false],
    ["ann", null, 0, false, false],
    ["ann", "order-2", 0, false, false],
    ["bob", "order-1", 0, false, false],
    ["bob", "order-2", 0, false, true],
    ["order-1", "ann", 0, false, true],
    ["bob", null, 0, true, true],
    ["bob", "order-2", 0, true, false],
    ["ann", null, 0, true, false],
  ])("covers %s with key %s after %i ms (any key new: %s): %s", ([userId, key, afterMs, isAnyKeyNew, isCovered]) => {
    expect(rules.covers(held({ isAnyKeyNew }), { userId, key }, T0 + afterMs)).toBe(isCovered);
  });
});

describe("a certificate without its bypass set", () => {
  const BEFORE = held({ code: "sale_not_started", startsAt: T0 + 60_000, startsInMs: 60_000 });
  const next = { ...CERTIFICATE, bypass: null, seq: 9, validForMs: 400 };

  test("goes with the set that it names, and states what is new", () => {
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
    ["an isolate that has none", {}, null],
  ])("is not held with %s", ([, certificate, before]) => {
    expect(rules.received({ ...next, ...certificate }, before, T0)).toBeNull();
  });

  test("is not needed where a set is sent along: the old one is dropped", () => {
    const certificate = rules.received({ ...CERTIFICATE, epoch: "epoch-2", bypass: ["ubob"] }, BEFORE, T0);
    expect(["uann", "korder-1", "ubob"].map((member) => certificate?.mayContain(member))).toEqual([false, false, true]);
  });
});

describe("the start that a certificate names", () => {
  test.for([
    [0, 60_000],
    [999, 59_001],
    [60_000, 1],
    [70_000, 1],
  ] as const)("is %i ms after the request %i ms away", ([afterMs, startsInMs]) => {
    const certificate = held({ code: "sale_not_started", startsAt: T0 + 60_000, startsInMs: 60_000 });
    expect(rules.startAt(certificate, T0 + afterMs)).toEqual({ startsAt: T0 + 60_000, startsInMs });
  });

  test("is left out where there is none", () => {
    expect(rules.startAt(held(), T0)).toEqual({});
  });
});
