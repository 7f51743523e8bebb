// What the sale page says about each outcome of a claim and a hold.

import { expect, test } from "vitest";

import { CLAIM_OUTCOMES } from "../../src/domain/claim-counts.ts";
import { isOutcomeCode, outcomeView, type OutcomeCode, type OutcomeDetails } from "../../src/web/outcome-view.ts";

type Expected = [code: OutcomeCode, details: OutcomeDetails, tone: string, headline: string, sends: string | null];

test.for<Expected>([
  ["granted", { position: 182, amount: 500 }, "good", "You have number 182 of 500", null],
  ["replayed", { position: 182, amount: 500 }, "good", "You have number 182 of 500", null],
  ["already_claimed", { position: 1000, amount: 1000 }, "good", "You already have number 1,000 of 1,000", null],
  // The 500 units were given out again after a revoke.
  ["granted", { position: 501, amount: 500 }, "good", "You have number 501", null],
  ["already_claimed", {}, "good", "You already have one", null],
  ["out_of_stock", {}, "wait", "Sold out", null],
  ["sale_not_started", {}, "wait", "Not open yet", null],
  ["sale_paused", {}, "wait", "Paused", null],
  ["sale_ended", {}, "bad", "This sale has ended", null],
  ["rate_limited", { seconds: 1 }, "wait", "Too many tries", "again"],
  ["claim_released", {}, "bad", "Your unit was taken back", "anew"],
  ["idempotency_key_reused", {}, "bad", "This attempt belongs to another person", "anew"],
  ["invalid_request", {}, "bad", "Please check what you entered", "again"],
  ["unauthorized", {}, "bad", "Please sign in again", null],
  ["token_missing", {}, "wait", "Come here from the shop", null],
  ["forbidden", {}, "bad", "This is another person's sign-in", null],
  ["challenge_failed", {}, "bad", "Please show that you are no robot", "again"],
  ["coupon_not_found", {}, "bad", "There is no such sale any more", null],
  ["held", {}, "good", "Reserved for you", null],
  ["given_back", {}, "wait", "Given back", "anew"],
  ["hold_expired", {}, "wait", "Your reservation has run out", "anew"],
  ["hold_released", {}, "wait", "Your reservation is over", "anew"],
  ["hold_too_long", {}, "bad", "Reservations are shorter now", null],
  ["hold_limit_reached", {}, "wait", "Too many reservations at once", "again"],
  ["unavailable", {}, "wait", "Very busy right now", "again"],
  ["outcome_unknown", {}, "wait", "No answer yet", "again"],
  ["no_answer", {}, "wait", "No answer yet", "again"],
  ["internal_error", {}, "wait", "No answer yet", "again"],
  ["misconfigured", {}, "bad", "This sale is not set up yet", "again"],
  ["origin_not_allowed", {}, "bad", "This came from another page", null],
])("the outcome %s with %o is %s: %s", ([code, details, tone, headline, sends]) => {
  const view = outcomeView(code, details);
  expect([view.tone, view.headline, view.button?.sends ?? null]).toEqual([tone, headline, sends]);
  expect(Math.min(view.sentence.length, view.next.length)).toBeGreaterThan(10);
});

test("every outcome that a coupon counts has words, and another text has none", () => {
  expect(CLAIM_OUTCOMES.filter((code) => !isOutcomeCode(code))).toEqual([]);
  expect(["toString", "", "granted "].filter(isOutcomeCode)).toEqual([]);
});

test("a visitor who tried too often reads when to try again", () => {
  expect([1, 10, undefined].map((seconds) => outcomeView("rate_limited", { seconds }).next)).toEqual([
    "Try again in a second.",
    "Try again in 10 seconds.",
    "Try again in 10 seconds.",
  ]);
});
