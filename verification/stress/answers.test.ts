// How the stress command judges answers: what is a grant, what is an error, what contradicts itself.

import { describe, expect, test } from "vitest";

import type { Answer } from "../client/coupon-client.ts";
import { checkCoupon } from "./api-checks.ts";
import type { Sent } from "./load.ts";
import { answerFault, drawOperations, isDocumented, OPERATIONS } from "./operations.ts";
import { claimFault, countFaults, countHttpErrors, countOutcomes, outcomeOf, receiptOf, type ClaimSlot } from "./outcomes.ts";
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

describe("a claim that was answered", () => {
  test.for([
    ["claim_granted", answer(201, RECEIPT)],
    ["claim_out_of_stock", answer(400, { code: "out_of_stock" })],
    ["claim_already_claimed", answer(409, { code: "already_claimed" })],
    ["claim_rate_limited", answer(429, { code: "rate_limited" })],
  ] as const)("counts as %s", ([outcome, told]) => {
    expect([outcomeOf(sent(told)), claimFault(sent(told))]).toEqual([outcome, null]);
  });

  test.for([
    ["400 invalid_request", answer(400, { code: "invalid_request" })],
    ["400", answer(400, { error: "coupon out of stock" })],
    ["404 coupon_not_found", answer(404, { code: "coupon_not_found" })],
    ["409 claim_released", answer(409, { code: "claim_released" })],
    ["503 unavailable", answer(503, { code: "unavailable" })],
    ["200", answer(200, RECEIPT)],
    ["no answer within 30 s", "no answer within 30 s"],
  ] as const)("is an error when it ends with %s", ([words, told]) => {
    expect([outcomeOf(sent(told)), claimFault(sent(told))]).toEqual(["claim_error", `claim: ${words}`]);
  });

  test.for([
    ["another user's", { ...RECEIPT, user_id: "bob" }],
    ["of another coupon", { ...RECEIPT, coupon_name: "D" }],
    ["without a position", { ...RECEIPT, position: "1" }],
    ["at position 0", { ...RECEIPT, position: 0 }],
    ["empty", {}],
  ] as const)("is an error when its receipt is %s", ([, body]) => {
    expect([outcomeOf(sent(answer(201, body))), receiptOf(sent(answer(201, body)))]).toEqual(["claim_error", null]);
  });

  test("is counted once, and errors of HTTP beside that", () => {
    const all = [
      sent(answer(201, RECEIPT)),
      sent(answer(503)),
      sent("refused"),
      sent(answer(400, { code: "out_of_stock" })),
      sent(answer(404)),
    ];
    expect(countOutcomes(all)).toEqual({
      claim_granted: 1,
      claim_out_of_stock: 1,
      claim_already_claimed: 0,
      claim_rate_limited: 0,
      claim_error: 3,
    });
    expect(countHttpErrors(all)).toBe(2);
    expect(countFaults(["a", null, "b", "b"])).toEqual([
      { what: "b", count: 2 },
      { what: "a", count: 1 },
    ]);
  });
});

describe("a status of a coupon of 5, that is claimed only", () => {
  const fresh = { name: "C", amount: 5, remaining_amount: 5, state: "open", seq: 1 };

  test.for([fresh, { ...fresh, remaining_amount: 2, seq: 4 }, { ...fresh, remaining_amount: 0, seq: 6, state: "sold_out" }])(
    "may be %o",
    (status) => {
      expect(statusFault(status, { name: "C", amount: 5 })).toBeNull();
    },
  );

  test.for([
    ["another coupon", { ...fresh, name: "D" }],
    ["another coupon", { ...fresh, amount: 6 }],
    ["no numbers", { name: "C", amount: 5 }],
    ["no numbers", { ...fresh, remaining_amount: 4.5 }],
    ["fewer than none are left", { ...fresh, remaining_amount: -1, seq: 7, state: "sold_out" }],
    ["what is left does not fit the ledger's head", { ...fresh, remaining_amount: 4 }],
    ["the state does not fit what is left", { ...fresh, remaining_amount: 0, seq: 6 }],
    ["the state does not fit what is left", { ...fresh, state: "sold_out" }],
  ] as const)("is wrong: %s", ([fault, status]) => {
    expect(statusFault(status, { name: "C", amount: 5 })).toBe(fault);
  });
});

describe("a status may be a second old", () => {
  const claim = { sentAtMs: 0, endedAtMs: 100, answer: answer(201, {}, 9) };
  const statusAt = (sentAtMs: number, seq: number) => ({ sentAtMs, endedAtMs: sentAtMs + 5, answer: answer(200, { seq }, seq) });

  test.for([
    ["within the second it may know less", 1050, 1, 0],
    ["after it, it must know", 1101, 8, 1],
    ["after it, it does know", 1101, 9, 0],
    ["it may know more", 1101, 10, 0],
  ] as const)("%s", ([, sentAtMs, seq, count]) => {
    const status = statusAt(sentAtMs, seq);
    expect(behind([status], [status, claim])).toHaveLength(count);
  });

  test("also when another status has told more", () => {
    const [early, late] = [statusAt(0, 7), statusAt(1010, 6)];
    expect(behind([early, late], [late, early])).toHaveLength(1);
  });
});

describe("mixed-workload", () => {
  const draw = { seed: 7, count: 10_000, coupons: ["A", "B"], userCount: 5, amountMax: 3 };

  test("draws the same operations from the same seed, and others from another", () => {
    expect(drawOperations(draw)).toEqual(drawOperations(draw));
    expect(drawOperations(draw)).not.toEqual(drawOperations({ ...draw, seed: 8 }));
  });

  test("draws every operation in its share", () => {
    const operations = drawOperations(draw);
    const shares = Object.entries(OPERATIONS).map(([kind, { share }]) => [
      kind,
      share,
      operations.filter((each) => each.kind === kind).length / 100,
    ]);
    expect(shares.reduce((sum, [, share]) => sum + Number(share), 0)).toBe(100);
    expect(shares.filter(([, share, drawn]) => Math.abs(Number(share) - Number(drawn)) > 2)).toEqual([]);
    expect(new Set(operations.map(({ amount }) => amount))).toEqual(new Set([1, 2, 3]));
  });

  test("takes only what is documented for the operation", () => {
    expect(isDocumented({ kind: "create" }, answer(409, { code: "coupon_exists" }))).toBe(true);
    expect(isDocumented({ kind: "create" }, answer(409, { code: "already_claimed" }))).toBe(false);
    expect(isDocumented({ kind: "give_back" }, answer(204))).toBe(true);
    expect(isDocumented({ kind: "read" }, answer(500, { code: "internal_error" }))).toBe(false);
  });

  const read = { kind: "read", coupon: "C", userId: "ada" } as const;

  test.for([
    [null, read, answer(200, { amount: 3, remaining_amount: 1, claimed_by: ["a", "b"] })],
    [null, read, answer(404, { code: "coupon_not_found" })],
    [null, { ...read, kind: "give_back" as const }, answer(204)],
    [null, { ...read, kind: "claim" as const }, answer(201, { ...RECEIPT, remaining_amount: 2 })],
    ["no receipt of this coupon and user", { ...read, kind: "claim" as const }, answer(201, { remaining_amount: 2 })],
    ["less than nothing is left", read, answer(200, { amount: 3, remaining_amount: -1, claimed_by: [] })],
    ["more is left than there ever was", read, answer(200, { amount: 3, remaining_amount: 4, claimed_by: [] })],
    ["somebody has two", read, answer(200, { amount: 3, remaining_amount: 1, claimed_by: ["a", "a"] })],
    ["more is claimed and left than there ever was", read, answer(200, { amount: 3, remaining_amount: 2, claimed_by: ["a", "b"] })],
  ] as const)("finds of an answer: %s", ([fault, operation, told]) => {
    expect(answerFault(operation, told)).toBe(fault);
  });
});

describe("over the API alone", () => {
  const told = ["ada", "bob"].map((userId, index) => ({ coupon: "C", userId, position: index + 1, claimedAt: RECEIPT.claimed_at }));
  const failed = (body: Answer["body"], released: readonly string[] = []): string[] =>
    checkCoupon("C", answer(200, { amount: 3, remaining_amount: 1, claimed_by: ["ada", "bob"], ...body }), told, new Set(released))
      .filter(({ isPassed }) => !isPassed)
      .map(({ title }) => title);

  test("a coupon that holds what its users were told passes", () => {
    expect(failed({})).toEqual([]);
  });

  test.for([
    ["more given than there was", { remaining_amount: 2 }, ["claimed and remaining are at most the amount"]],
    ["a negative rest", { remaining_amount: -1 }, ["claimed and remaining are at most the amount"]],
    ["a user twice", { claimed_by: ["ada", "bob", "bob"], remaining_amount: 0 }, ["no user twice"]],
    ["a user who was forgotten", { claimed_by: ["ada"] }, ["everybody who was told 201 is there", "… at the position that they were told"]],
    ["users in another order", { claimed_by: ["bob", "ada"] }, ["… at the position that they were told"]],
    ["a user who was told nothing", { claimed_by: ["ada", "bob", "eve"], remaining_amount: 0 }, ["everybody who is there was told 201"]],
  ] as const)("%s does not", ([, body, titles]) => {
    expect(failed(body)).toEqual(titles);
  });

  test("a user whose claim was released may be gone, and others have moved up", () => {
    expect(failed({ claimed_by: ["bob"], remaining_amount: 2 }, ["ada"])).toEqual([]);
  });

  test("a coupon that is not shown fails", () => {
    expect(checkCoupon("C", null, told, new Set()).map(({ isPassed }) => isPassed)).toEqual([false]);
    expect(checkCoupon("C", answer(404), told, new Set()).map(({ detail }) => detail)).toEqual(["it answered 404"]);
  });
});
