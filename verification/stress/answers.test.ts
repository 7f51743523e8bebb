// The stress command's judgement of answers: grants, errors and contradictions.

import { describe, expect, test } from "vitest";

import type { Answer } from "../client/coupon-client.ts";
import { checkCoupon } from "./api-checks.ts";
import type { Sent } from "./load.ts";
import { answerFault, drawOperations, isDocumented, OPERATIONS } from "./operations.ts";
import { claimFault, countOutcomes, outcomeOf, type ClaimSlot } from "./outcomes.ts";
import { behind, statusFault } from "./status-answers.ts";

const RECEIPT = { coupon_name: "C", user_id: "ada", position: 1, claimed_at: "2026-11-21T09:56:14.755Z" };

function answer(status: number, body: Answer["body"] = {}, seq: number | null = null): Answer {
  return { status, body, seq, headers: {} };
}

function sent(ended: Answer | string): Sent<ClaimSlot> {
  const slot = { atMs: 0, coupon: "C", userId: "ada", send: () => Promise.reject(new Error("not sent")) };
  const times = { slot, latencyMs: 1, sentAtMs: 0, endedAtMs: 1 };
  return typeof ended === "string" ? { ...times, answer: null, failure: ended } : { ...times, answer: ended, failure: null };
}

test.for([
  ["claim_granted", null, answer(201, RECEIPT)],
  ["claim_out_of_stock", null, answer(400, { code: "out_of_stock" })],
  ["claim_already_claimed", null, answer(409, { code: "already_claimed" })],
  ["claim_rate_limited", null, answer(429, { code: "rate_limited" })],
  ["claim_error", "claim: 400 invalid_request", answer(400, { code: "invalid_request" })],
  ["claim_error", "claim: 400", answer(400, { error: "coupon out of stock" })],
  ["claim_error", "claim: 503 unavailable", answer(503, { code: "unavailable" })],
  ["claim_error", "claim: 200", answer(200, RECEIPT)],
  ["claim_error", "claim: no answer within 30 s", "no answer within 30 s"],
  ["claim_error", "claim: 201 without a receipt of this coupon and user", answer(201, { ...RECEIPT, user_id: "bob" })],
  ["claim_error", "claim: 201 without a receipt of this coupon and user", answer(201, { ...RECEIPT, coupon_name: "D" })],
  ["claim_error", "claim: 201 without a receipt of this coupon and user", answer(201, { ...RECEIPT, position: 0 })],
] as const)("a claim counts as %s with the fault %o", ([outcome, fault, ended]) => {
  expect([outcomeOf(sent(ended)), claimFault(sent(ended))]).toEqual([outcome, fault]);
});

test("claims without an answer or with a 5xx count as HTTP errors too", () => {
  const all = [answer(201, RECEIPT), answer(503), "refused", answer(400, { code: "out_of_stock" }), answer(404)].map(sent);
  expect(countOutcomes(all)).toMatchObject({ claim_granted: 1, claim_out_of_stock: 1, claim_error: 3, http_errors: 2 });
});

describe("a status of a coupon with 5 units and claims only", () => {
  const fresh = { name: "C", amount: 5, remaining_amount: 5, state: "open", seq: 1 };

  test.for([
    [null, fresh],
    [null, { ...fresh, remaining_amount: 0, seq: 6, state: "sold_out" }],
    ["another coupon", { ...fresh, name: "D" }],
    ["another coupon", { ...fresh, amount: 6 }],
    ["no numbers", { ...fresh, remaining_amount: 4.5 }],
    ["a negative amount remains", { ...fresh, remaining_amount: -1, seq: 7, state: "sold_out" }],
    ["the remaining amount does not fit seq", { ...fresh, remaining_amount: 4 }],
    ["the state does not fit the remaining amount", { ...fresh, remaining_amount: 0, seq: 6 }],
    ["the state does not fit the remaining amount", { ...fresh, state: "sold_out" }],
  ] as const)("a coupon's status has the fault %o", ([fault, status]) => {
    expect(statusFault(status, { name: "C", amount: 5 })).toBe(fault);
  });
});

test.for([
  ["may be older within the second", 1050, 1, 0],
  ["may not be older after it", 1101, 8, 1],
  ["may be as new after it", 1101, 9, 0],
] as const)("a status that follows a claim with seq 9 %s", ([, sentAtMs, seq, count]) => {
  const claim = { sentAtMs: 0, endedAtMs: 100, answer: answer(201, {}, 9) };
  const status = { sentAtMs, endedAtMs: sentAtMs + 5, answer: answer(200, { seq }, seq) };
  expect(behind([status], [status, claim])).toHaveLength(count);
});

describe("mixed-workload", () => {
  const draw = { seed: 7, count: 10_000, coupons: ["A", "B"], userCount: 5, amountMax: 3 };
  const read = { kind: "read", coupon: "C", userId: "ada" } as const;
  const claim = { ...read, kind: "claim" } as const;

  test("mixed-workload draws each operation in its share, the same ones from the same seed", () => {
    const operations = drawOperations(draw);
    expect(drawOperations(draw)).toEqual(operations);
    const drawn = Object.entries(Object.groupBy(operations, ({ kind }) => kind)).map(([kind, all]) => [kind, all.length / 100] as const);
    const wrong = drawn.filter(([kind, share]) => Math.abs(share - OPERATIONS[kind as keyof typeof OPERATIONS].share) > 2);
    expect([drawn.length, wrong]).toEqual([Object.keys(OPERATIONS).length, []]);
  });

  test("mixed-workload accepts only the answers that are documented for the operation", () => {
    expect(isDocumented({ kind: "create" }, answer(409, { code: "coupon_exists" }))).toBe(true);
    expect(isDocumented({ kind: "create" }, answer(409, { code: "already_claimed" }))).toBe(false);
    expect(isDocumented(read, answer(500, { code: "internal_error" }))).toBe(false);
  });

  test.for([
    [null, read, answer(200, { amount: 3, remaining_amount: 1, claimed_by: ["a", "b"] })],
    ["no receipt of this coupon and user", claim, answer(201, { remaining_amount: 2 })],
    ["a negative amount remains", read, answer(200, { amount: 3, remaining_amount: -1, claimed_by: [] })],
    ["more remains than the amount", read, answer(200, { amount: 3, remaining_amount: 4, claimed_by: [] })],
    ["a user has two claims", read, answer(200, { amount: 3, remaining_amount: 1, claimed_by: ["a", "a"] })],
    ["claimed and remaining exceed the amount", read, answer(200, { amount: 3, remaining_amount: 2, claimed_by: ["a", "b"] })],
  ] as const)("mixed-workload finds the fault %o", ([fault, operation, ended]) => {
    expect(answerFault(operation, ended)).toBe(fault);
  });
});

describe("the checks over the API", () => {
  const receipts = ["ada", "bob"].map((userId, index) => ({ coupon: "C", userId, position: index + 1, claimedAt: RECEIPT.claimed_at }));
  const failed = (body: Answer["body"], revoked: readonly string[] = []): string[] =>
    checkCoupon("C", answer(200, { amount: 3, remaining_amount: 1, claimed_by: ["ada", "bob"], ...body }), receipts, new Set(revoked))
      .filter(({ verdict }) => verdict === "FAIL")
      .map(({ title }) => title);

  test.for([
    ["nothing if the coupon agrees", {}, [], []],
    ["an oversold coupon", { remaining_amount: 2 }, [], ["claimed and remaining are at most the amount"]],
    ["a user twice", { claimed_by: ["ada", "bob", "bob"], remaining_amount: 0 }, [], ["no user twice"]],
    ["a lost claim", { claimed_by: ["ada"] }, [], ["every acknowledged claim is stored", "each at its position"]],
    ["another order", { claimed_by: ["bob", "ada"] }, [], ["each at its position"]],
    ["an unacknowledged claim", { claimed_by: ["ada", "bob", "eve"], remaining_amount: 0 }, [], ["every stored claim is acknowledged"]],
    ["nothing if a missing claim was revoked", { claimed_by: ["bob"], remaining_amount: 2 }, ["ada"], []],
  ] as const)("the checks over the API find %s", ([, body, revoked, titles]) => {
    expect(failed(body, revoked)).toEqual(titles);
  });

  test("the checks over the API fail a coupon that is not returned", () => {
    expect([null, answer(404)].map((ended) => checkCoupon("C", ended, receipts, new Set()).map(({ verdict }) => verdict))).toEqual([
      ["FAIL"],
      ["FAIL"],
    ]);
  });
});
