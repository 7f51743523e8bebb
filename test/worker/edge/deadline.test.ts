// A call ends at its deadline, and what it then did not know can be asked again.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { CALL_DEADLINE_MS } from "../../../src/domain/limits.ts";
import { callCoupon } from "../../../src/edge/coupon-calls.ts";
import { claim, create, created, freshName, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { answerLost, claimOver, hangObject, lost, platform, platformError, sendOver, silence } from "../../support/platform-faults.ts";
import { stored } from "../../support/storage.ts";

const NOTHING_KNOWN = { ok: false, code: "outcome_unknown", cause: "no answer in 50 ms" };

function claimWithin(deadlineMs: number, name: string, userId: string, key: string | null = null) {
  const request = { userId, key, attemptId: `attempt-of-${userId}` };
  return callCoupon(env, name, (coupon) => coupon.claim(request), "repeatable", deadlineMs);
}

describe("an object that hangs", () => {
  test("leaves a claim unknown at its deadline, and the same attempt then gets one unit", async () => {
    const name = await created(5);
    const { resume } = await hangObject(name);
    expect(await claimWithin(50, name, "ada")).toEqual(NOTHING_KNOWN);

    await resume();
    const again = await claimWithin(5_000, name, "ada");
    expect(again).toMatchObject({ ok: true, replayed: true, seq: 2, claim: { userId: "ada", position: 1, remainingAfter: 4 } });
    expect((await stored(name)).claims).toHaveLength(1);
    await expectConserved(name);
  });

  test("answers a second request with the same key by a replay", async () => {
    const name = await created(5);
    const { resume } = await hangObject(name);
    expect(await claimWithin(50, name, "ada", "key-1")).toEqual(NOTHING_KNOWN);

    await resume();
    const again = await claim(name, "ada", { "Idempotency-Key": "key-1" });
    expect(again.status).toBe(201);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(again.body).toMatchObject({ user_id: "ada", position: 1, remaining_amount: 4 });
    await expectConserved(name, [again]);
  });

  test("answers a second request without a key by 409 and the claim", async () => {
    const name = await created(5);
    const { resume } = await hangObject(name);
    expect(await claimWithin(50, name, "ada")).toEqual(NOTHING_KNOWN);

    await resume();
    const again = await claim(name, "ada");
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ code: "already_claimed", claim: { user_id: "ada", position: 1 } });
    await expectConserved(name);
  });

  test("leaves 100 callers at the deadline, and each gets exactly one unit later", async () => {
    const name = await created(100);
    const { resume } = await hangObject(name);
    const first = await Promise.all(users(100).map((user) => claimWithin(50, name, user)));
    expect(first).toEqual(users(100).map(() => NOTHING_KNOWN));

    await resume();
    const second = await Promise.all(users(100).map((user) => claimWithin(5_000, name, user)));
    expect(second.filter(({ ok }) => ok)).toHaveLength(100);
    expect((await read(name)).body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
    await expectConserved(name);
  });

  test("leaves a read unavailable at its deadline, and answers the next one", async () => {
    const name = await created(5);
    const { resume } = await hangObject(name);
    const result = await callCoupon(env, name, (coupon) => coupon.read({ claimedBy: false }), "read", 50);
    expect(result).toEqual({ ok: false, code: "unavailable", cause: "no answer in 50 ms" });

    await resume();
    expect((await read(name)).body).toMatchObject({ name, remaining_amount: 5 });
  });

  test("leaves a create unknown at its deadline, and the next one gets coupon_exists", async () => {
    const name = freshName();
    const { resume } = await hangObject(name);
    const coupon = { name, amount: 5, startsAt: null, endsAt: null, holdSecondsMax: 900, holdsMax: null };
    expect(await callCoupon(env, name, (object) => object.create(coupon), "once", 50)).toEqual(NOTHING_KNOWN);

    await resume();
    expect((await create(name, 7)).body["code"]).toBe("coupon_exists");
    expect((await read(name)).body).toMatchObject({ amount: 5 });
  });
});

describe("the deadline of a request", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.for([
    ["claim", "POST", "/api/coupons/claim", { user_id: "ada", coupon_name: "silent" }, "outcome_unknown"],
    ["create", "POST", "/api/coupons", { name: "silent", amount: 5 }, "outcome_unknown"],
    ["read", "GET", "/api/coupons/silent", undefined, "unavailable"],
  ] as const)("is CALL_DEADLINE_MS for a %s, not a millisecond less", async ([, method, path, body, code]) => {
    const over = platform(silence);
    const answers: number[] = [];
    const answering = sendOver(over, method, path, { body });
    void answering.then(({ status }) => answers.push(status));
    await over.called;

    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS - 1);
    expect(answers).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    const answer = await answering;
    expect(answer.status).toBe(503);
    expect(answer.body["code"]).toBe(code);
    expect(answer.headers.get("Retry-After")).toBe("1");
    expect(over.calls).toHaveLength(1);
  });

  test("spans all attempts of a call, not each", async () => {
    const over = platform(lost(platformError({ retryable: true })), silence);
    const answering = claimOver(over, "silent", "ada");
    await over.called;

    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
    expect((await answering).body["code"]).toBe("outcome_unknown");
    expect(over.calls).toHaveLength(2);
  });

  test("leaves no timer behind once the object has answered", async () => {
    const over = platform();
    expect((await sendOver(over, "GET", `/api/coupons/${freshName()}`)).status).toBe(404);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("ends the attempts: no further one begins after the answer", async () => {
    const letFail = Promise.withResolvers<never>();
    const over = platform(() => letFail.promise, answerLost(platformError({ retryable: true })));
    const answering = claimOver(over, "silent", "ada");
    await over.called;
    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
    expect((await answering).body["code"]).toBe("outcome_unknown");

    letFail.reject(platformError({ retryable: true }));
    await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
    expect(over.calls).toHaveLength(1);
  });
});
