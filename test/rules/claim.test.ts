// The rule of a claim by itself: a hold at its last instants, and the order of refusals.

import { describe, expect, test } from "vitest";

import { judgeClaim, userClaimOf } from "../../src/domain/claim.ts";
import type { Coupon } from "../../src/domain/coupon.ts";
import { judgeHold } from "../../src/domain/hold.ts";
import { COUPON, T0 } from "./facts.ts";

const HELD = { userId: "ann", heldAt: T0, expiresAt: T0 + 10, attemptId: "hold" };

test.for([
  ["a holder has the unit one millisecond before the hold expires", T0 + 9, { ok: true, replayed: false }, { ok: true, hold: HELD }],
  ["a holder has nothing at the instant at which the hold expires", T0 + 10, { code: "out_of_stock" }, { code: "out_of_stock" }],
] as const)("%s", ([, now, claimVerdict, holdVerdict]) => {
  const existing = { ...userClaimOf([]), hold: HELD };
  const coupon: Coupon = { ...COUPON, held: 1, nextExpiryAt: T0 + 10 };
  const request = { userId: "ann", key: null, attemptId: "claim" };
  expect(judgeClaim(request, { coupon, existing, keyOwner: null }, now)).toMatchObject(claimVerdict);
  const again = { userId: "ann", ttlMs: 1_000, attemptId: "hold" };
  expect(judgeHold(again, { coupon, existing, isReleased: false }, now)).toMatchObject(holdVerdict);
});

describe("the order of refusals", () => {
  // In the contract's order; each turns one fact on.
  const FACTS = [
    "replayed",
    "already_claimed",
    "idempotency_key_reused",
    "sale_ended",
    "sale_not_started",
    "sale_paused",
    "out_of_stock",
  ] as const;
  type Fact = (typeof FACTS)[number];

  function verdictOf(facts: ReadonlySet<Fact>): string {
    const request = { userId: "ann", key: "k", attemptId: "now" };
    const claim = {
      userId: "ann",
      position: 1,
      claimedAt: T0,
      remainingAfter: 0,
      key: facts.has("replayed") ? "k" : null,
      attemptId: "then",
    };
    const coupon: Coupon = {
      ...COUPON,
      endsAt: facts.has("sale_ended") ? T0 : null,
      startsAt: facts.has("sale_not_started") ? T0 + 1 : null,
      paused: facts.has("sale_paused"),
      claimed: facts.has("out_of_stock") ? 1 : 0,
    };
    const existing = userClaimOf(facts.has("replayed") || facts.has("already_claimed") ? [claim] : []);
    const verdict = judgeClaim(request, { coupon, existing, keyOwner: facts.has("idempotency_key_reused") ? "bob" : null }, T0);
    return verdict.ok ? (verdict.replayed ? "replayed" : "granted") : verdict.code;
  }

  const subsets = Array.from({ length: 2 ** FACTS.length }, (_, bits) => FACTS.filter((_fact, index) => (bits >> index) % 2 === 1));

  test("of several refusals that apply, the first in the contract's order is returned", () => {
    expect(subsets).toHaveLength(128);
    expect(subsets.map((facts) => verdictOf(new Set(facts)))).toEqual(subsets.map((facts) => facts[0] ?? "granted"));
  });
});
