// Random sales: terms, moves of the clock, and claims in rounds of one instant each.

import * as fc from "fast-check";

import type { Claim, ClaimRequest } from "../../src/domain/claim.ts";
import { Sale, type Ask, type Terms, type ModelAnswer } from "./model.ts";

export const T0 = 1_000_000;

export type Round = { readonly moveMs: number; readonly asks: readonly Ask[] };
export type Scenario = { readonly terms: Terms; readonly rounds: readonly Round[] };

const ask: fc.Arbitrary<Ask> = fc.record({
  user: fc.constantFrom("ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "Ann", "用户 🎉"),
  // Few keys and attempts, so that they meet often: with their owner and with others.
  key: fc.option(fc.constantFrom("k1", "k2", "k3"), { freq: 2 }),
  attempt: fc.constantFrom("a1", "a2", "a3", "a4"),
});

const terms: fc.Arbitrary<Terms> = fc
  .record({
    amount: fc.integer({ min: 1, max: 8 }),
    startsAfterMs: fc.option(fc.integer({ min: -20, max: 120 })),
    lastsMs: fc.option(fc.integer({ min: 1, max: 300 })),
    paused: fc.integer({ min: 1, max: 8 }).map((face) => face === 8),
  })
  .map(({ amount, startsAfterMs, lastsMs, paused }) => ({
    amount,
    startsAt: startsAfterMs === null ? null : T0 + startsAfterMs,
    endsAt: lastsMs === null ? null : T0 + (startsAfterMs ?? 0) + lastsMs,
    paused,
  }));

/** A sale of up to 12 rounds. Between them the clock moves on, stands still, or falls back. */
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  terms,
  rounds: fc.array(fc.record({ moveMs: fc.integer({ min: -40, max: 80 }), asks: fc.array(ask, { minLength: 1, maxLength: 8 }) }), {
    maxLength: 12,
  }),
});

/** The rounds with the instant at which each happens. */
export function timed({ rounds }: Scenario): { readonly now: number; readonly asks: readonly Ask[] }[] {
  let now = T0;
  return rounds.map(({ moveMs, asks }) => {
    now += moveMs;
    return { now, asks };
  });
}

/** The model's answers, in order, and the sale that is left. */
export function modelled(sale: Scenario): { readonly answers: readonly ModelAnswer[]; readonly sale: Sale } {
  const model = new Sale(sale.terms, T0);
  return { answers: timed(sale).flatMap(({ now, asks }) => asks.map((one) => model.claim(one, now))), sale: model };
}

export function requestOf({ user, key, attempt }: Ask): ClaimRequest {
  return { userId: user, key, attemptId: attempt };
}

/** What the product said, in the model's words: an outcome, and the claim that came with it. */
export function inModelWords(outcome: string, claim: Claim | undefined): ModelAnswer {
  if (claim === undefined) return { outcome };
  const { userId, key, attemptId, position, claimedAt, remainingAfter } = claim;
  return { outcome, receipt: { user: userId, key, attempt: attemptId, position, at: claimedAt, left: remainingAfter } };
}
