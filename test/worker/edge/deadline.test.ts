// A call ends at its deadline. What is unknown then can be asked again.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { CALL_DEADLINE_MS } from "../../../src/domain/limits.ts";
import { callCoupon } from "../../../src/edge/coupon-calls.ts";
import { claim, create, created, freshName, outcomeOf, read } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { newCoupon } from "../../support/new-coupon.ts";
import {
  answerLost,
  claimOver,
  hangObject,
  lost,
  platform,
  platformError,
  sendOver,
  silence,
  type Delivery,
} from "../../support/platform-faults.ts";

const UNKNOWN = { ok: false, code: "outcome_unknown", cause: "no answer in 50 ms" };

function claimWithin(deadlineMs: number, name: string, userId: string, key: string | null = null) {
  const request = { userId, key, attemptId: `attempt-of-${userId}` };
  return callCoupon(env, name, (coupon) => coupon.claim(request), "repeatable", deadlineMs);
}

test("a hanging object leaves a claim unknown, and its repetition gets one unit", async () => {
  const name = await created(5);
  const { resume } = await hangObject(name);
  expect(await claimWithin(50, name, "ada", "key-1")).toEqual(UNKNOWN);

  await resume();
  const again = await claimWithin(5_000, name, "ada", "key-1");
  expect(again).toMatchObject({ ok: true, replayed: true, seq: 2, claim: { userId: "ada", position: 1, remainingAfter: 4 } });
  const byKey = await claim(name, "ada", { "Idempotency-Key": "key-1" });
  expect([byKey.status, byKey.headers.get("Idempotent-Replayed")]).toEqual([201, "true"]);
  expect(byKey.body).toMatchObject({ user_id: "ada", position: 1, remaining_amount: 4 });
  const withoutKey = await claim(name, "ada");
  expect([withoutKey.status, withoutKey.body["claim"]]).toMatchObject([409, { user_id: "ada", position: 1 }]);
  await expectConserved(name, [byKey]);
});

test("a hanging object leaves a read unavailable and a create unknown at the deadline", async () => {
  const name = freshName();
  const { resume } = await hangObject(name);
  const reading = callCoupon(env, name, (coupon) => coupon.read({ claimedBy: false }), "read", 50);
  const creating = callCoupon(env, name, (object) => object.create(newCoupon(5, { name })), "once", 50);
  expect(await reading).toEqual({ ok: false, code: "unavailable", cause: "no answer in 50 ms" });
  expect(await creating).toEqual(UNKNOWN);

  await resume();
  expect((await create(name, 7)).body["code"]).toBe("coupon_exists");
  expect((await read(name)).body).toMatchObject({ amount: 5 });
});

describe("the deadline of a request", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.for([
    ["claim", "POST", "/api/coupons/claim", { user_id: "ada", coupon_name: "silent" }, "503 outcome_unknown"],
    ["create", "POST", "/api/coupons", { name: "silent", amount: 5 }, "503 outcome_unknown"],
    ["read", "GET", "/api/coupons/silent", undefined, "503 unavailable"],
  ] as const)("the deadline of a %s is CALL_DEADLINE_MS, to the millisecond", async ([, method, path, body, outcome]) => {
    const over = platform(silence);
    const answers: number[] = [];
    const answering = sendOver(over, method, path, { body });
    void answering.then(({ status }) => answers.push(status));
    await over.called;

    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS - 1);
    expect(answers).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    const answer = await answering;
    expect([outcomeOf(answer), answer.headers.get("Retry-After")]).toEqual([outcome, "1"]);
    expect(over.calls).toHaveLength(1);
  });

  test("the deadline of a call spans all its attempts", async () => {
    const over = platform(lost(platformError({ retryable: true })), silence);
    const answering = claimOver(over, "silent", "ada");
    await over.called;
    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
    expect(outcomeOf(await answering)).toBe("503 outcome_unknown");
    expect(over.calls).toHaveLength(2);
  });

  test("a call that the object answers leaves no timer behind", async () => {
    expect((await sendOver(platform(), "GET", `/api/coupons/${freshName()}`)).status).toBe(404);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a call begins no further attempt after its deadline", async () => {
    const failing = Promise.withResolvers<never>();
    const fails: Delivery = () => failing.promise;
    const over = platform(fails, answerLost(platformError({ retryable: true })));
    const answering = claimOver(over, "silent", "ada");
    await over.called;
    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
    expect(outcomeOf(await answering)).toBe("503 outcome_unknown");

    failing.reject(platformError({ retryable: true }));
    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
    expect(over.calls).toHaveLength(1);
  });
});
