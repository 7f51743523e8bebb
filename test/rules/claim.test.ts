// The rule of a claim, over random sales: it says what an independent model says, and it keeps its promises.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { judgeClaim, type Claim } from "../../src/domain/claim.ts";
import type { Coupon } from "../../src/domain/coupon.ts";
import { judgeHold } from "../../src/domain/hold.ts";
import { COUPON } from "./facts.ts";
import type { ModelAnswer } from "./model.ts";
import { inModelWords, modelled, requestOf, scenario, T0, timed, type Scenario } from "./scenario.ts";

/** The rule's answers, with nothing around it but a map of claims by user. */
function judged(sale: Scenario): { readonly answers: readonly ModelAnswer[]; readonly claims: readonly Claim[] } {
  const claims = new Map<string, Claim>();
  let coupon: Coupon = { ...COUPON, ...sale.terms };
  const answers = timed(sale).flatMap(({ now, asks }) =>
    asks.map((ask) => {
      const request = requestOf(ask);
      const at = Math.max(now, coupon.clockAt);
      coupon = { ...coupon, clockAt: at };
      const keyOwner = [...claims.values()].find(({ key }) => key !== null && key === request.key)?.userId ?? null;
      const existing = { claim: claims.get(request.userId) ?? null, hold: null, revoked: null };
      const verdict = judgeClaim(request, { coupon, existing, keyOwner }, at);
      if (!verdict.ok) return inModelWords(verdict.code, "claim" in verdict ? verdict.claim : undefined);
      if (verdict.replayed) return inModelWords("replayed", verdict.claim);
      const { claim } = verdict;
      claims.set(request.userId, claim);
      coupon = { ...coupon, claimed: coupon.claimed + 1, lastPosition: claim.position };
      return inModelWords("granted", claim);
    }),
  );
  return { answers, claims: [...claims.values()] };
}

describe("over random sales", () => {
  test("the rule answers as an independent model does", () => {
    fc.assert(
      fc.property(scenario, (sale) => {
        expect(judged(sale).answers).toEqual(modelled(sale).answers);
      }),
      { numRuns: 2000 },
    );
  });

  test("at most the amount is granted, to distinct users, at positions 1 to n", () => {
    fc.assert(
      fc.property(scenario, (sale) => {
        const { answers, claims } = judged(sale);
        const granted = answers.filter(({ outcome }) => outcome === "granted").map(({ receipt }) => receipt);
        expect(granted.length).toBeLessThanOrEqual(sale.terms.amount);
        expect(claims).toHaveLength(granted.length);
        expect(granted.map((receipt) => receipt?.position)).toEqual(granted.map((_, index) => index + 1));
        expect(granted.map((receipt) => receipt?.left)).toEqual(granted.map((_, index) => sale.terms.amount - index - 1));
        expect(new Set(granted.map((receipt) => receipt?.user)).size).toBe(granted.length);
      }),
      { numRuns: 1000 },
    );
  });

  test("only a winner gets a receipt at a later attempt, and always does", () => {
    fc.assert(
      fc.property(scenario, (sale) => {
        const winners = new Set<string>();
        const { answers } = judged(sale);
        for (const [index, { user }] of timed(sale)
          .flatMap(({ asks }) => asks)
          .entries()) {
          const outcome = answers[index]?.outcome ?? "";
          const isLaterAnswer = ["replayed", "already_claimed"].includes(outcome);
          expect(isLaterAnswer).toBe(winners.has(user));
          if (outcome === "granted") winners.add(user);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("the random sales reach every outcome", () => {
    const reached = new Set(
      fc.sample(scenario, { numRuns: 2000, seed: 1 }).flatMap((sale) => modelled(sale).answers.map(({ outcome }) => outcome)),
    );
    expect([...reached].sort()).toEqual([
      "already_claimed",
      "granted",
      "idempotency_key_reused",
      "out_of_stock",
      "replayed",
      "sale_ended",
      "sale_not_started",
      "sale_paused",
    ]);
  });
});

describe("a hold that ends at T0 + 10", () => {
  const held = { userId: "ann", heldAt: T0, expiresAt: T0 + 10, attemptId: "hold" };
  const existing = { claim: null, hold: held, revoked: null };
  const soldOut: Coupon = { ...COUPON, held: 1, nextExpiryAt: T0 + 10 };
  const request = { userId: "ann", key: null, attemptId: "claim" };

  test.for([
    [T0 + 9, { ok: true, replayed: false }, { ok: true, hold: held }],
    [T0 + 10, { code: "out_of_stock" }, { code: "out_of_stock" }],
    [T0 + 11, { code: "out_of_stock" }, { code: "out_of_stock" }],
  ] as const)("at %i makes its user's claim and hold end as %o and %o", ([now, claimVerdict, holdVerdict]) => {
    expect(judgeClaim(request, { coupon: soldOut, existing, keyOwner: null }, now)).toMatchObject(claimVerdict);
    const again = { userId: "ann", ttlMs: 1_000, attemptId: "hold" };
    expect(judgeHold(again, { coupon: soldOut, existing, isReleased: false }, now)).toMatchObject(holdVerdict);
  });
});

describe("where several refusals fit, the first of the contract's order is the answer", () => {
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
    const existing = { claim: facts.has("replayed") || facts.has("already_claimed") ? claim : null, hold: null, revoked: null };
    const verdict = judgeClaim(request, { coupon, existing, keyOwner: facts.has("idempotency_key_reused") ? "bob" : null }, T0);
    return verdict.ok ? (verdict.replayed ? "replayed" : "granted") : verdict.code;
  }

  const subsets = Array.from({ length: 2 ** FACTS.length }, (_, bits) => FACTS.filter((_fact, index) => (bits >> index) % 2 === 1));

  test("over all 128 combinations", () => {
    expect(subsets).toHaveLength(128);
    expect(subsets.map((facts) => verdictOf(new Set(facts)))).toEqual(subsets.map((facts) => facts[0] ?? "granted"));
  });
});
