// The object did it, and its answer never came back: no user gets two units for that, and no answer is false.

import { describe, expect, test } from "vitest";

import { claim, countOutcomes, create, created, freshName, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { answerLost, claimOver, lost, platform, platformError, sendOver, type Delivery } from "../../support/platform-faults.ts";
import { stored } from "../../support/storage.ts";

const queueIsFull: Delivery = () => Promise.resolve({ ok: false, code: "unavailable", seq: 2 });
const KEY = { "Idempotency-Key": "key-1" };

describe.for([{ retryable: true }, { durableObjectReset: true }])("an answer lost to a fault marked %o", (marks) => {
  const fault = answerLost(platformError(marks));

  test.for([
    ["once", [fault]],
    ["twice", [fault, fault]],
  ] as const)("%s is fetched by the Worker itself: the caller sees a plain 201 and one unit is gone", async ([, deliveries]) => {
    const name = await created(5);
    const over = platform(...deliveries);
    const answer = await claimOver(over, name, "ada");

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ coupon_name: name, user_id: "ada", position: 1, remaining_amount: 4 });
    expect(answer.headers.get("Idempotent-Replayed")).toBeNull();
    expect(answer.headers.get("Coupon-Seq")).toBe("2");
    expect(over.calls).toHaveLength(deliveries.length + 1);
    expect((await stored(name)).claims).toMatchObject([{ user_id: "ada", position: 1 }]);
    await expectConserved(name, [answer]);
  });

  test("with a caller's key is fetched likewise, and the key replays it later", async () => {
    const name = await created(5);
    const answer = await claimOver(platform(fault), name, "ada", KEY);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ user_id: "ada", position: 1, remaining_amount: 4 });

    const again = await claim(name, "ada", KEY);
    expect(again.status).toBe(201);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(again.body).toEqual(answer.body);
    expect((await stored(name)).ledger).toHaveLength(2);
    await expectConserved(name, [answer, again]);
  });

  test("every time leaves the outcome unknown, and the key then gets the receipt", async () => {
    const name = await created(5);
    const over = platform(fault, fault, fault);
    const answer = await claimOver(over, name, "ada", KEY);
    expect(answer.status).toBe(503);
    expect(answer.body["code"]).toBe("outcome_unknown");
    expect(over.calls).toHaveLength(3);

    const again = await claim(name, "ada", KEY);
    expect(again.status).toBe(201);
    expect(again.body).toMatchObject({ position: 1, remaining_amount: 4 });
    expect((await read(name)).body["remaining_amount"]).toBe(4);
    await expectConserved(name, [again]);
  });

  test("of a create leaves the outcome unknown after one call, and the coupon exists", async () => {
    const name = freshName();
    const over = platform(fault);
    const answer = await sendOver(over, "POST", "/api/coupons", { body: { name, amount: 5 } });
    expect(answer.status).toBe(503);
    expect(answer.body["code"]).toBe("outcome_unknown");
    expect(over.calls).toEqual([{ method: "create", stub: 1 }]);

    expect((await read(name)).body).toMatchObject({ name, amount: 5, remaining_amount: 5 });
    expect((await create(name, 9)).status).toBe(409);
    await expectConserved(name);
  });

  test("of a read is read again", async () => {
    const name = await created(5);
    const over = platform(fault);
    const answer = await sendOver(over, "GET", `/api/coupons/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.body["remaining_amount"]).toBe(5);
    expect(over.calls).toHaveLength(2);
  });

  test("of a refusal is asked for again and refuses again", async () => {
    const name = await created(1);
    await claim(name, "ada");
    const answer = await claimOver(platform(fault), name, "bob");
    expect(answer.status).toBe(400);
    expect(answer.body["code"]).toBe("out_of_stock");
    await expectConserved(name);
  });
});

describe("first answers that are lost for all of 100 users", () => {
  test.for([
    [100, { 201: 100 }],
    [40, { 201: 40, "400 out_of_stock": 60 }],
  ] as const)("change nothing about who gets the %i units", async ([stock, outcomes]) => {
    const name = await created(stock);
    const claimed = users(100).map((user) => claimOver(platform(answerLost(platformError({ retryable: true }))), name, user));
    const answers = await Promise.all(claimed);
    expect(countOutcomes(answers)).toEqual(outcomes);
    await expectConserved(name, answers);
  });

  test("give one unit to a user who asks 50 times at once", async () => {
    const name = await created(100);
    const asked = Array.from({ length: 50 }, () => claimOver(platform(answerLost(platformError({ retryable: true }))), name, "ada"));
    const answers = await Promise.all(asked);
    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": 49 });
    expect((await read(name)).body["remaining_amount"]).toBe(99);
    await expectConserved(name, answers);
  });
});

describe("what was done is never answered as if nothing was changed", () => {
  const passing = answerLost(platformError({ retryable: true }));
  const overloaded = lost(platformError({ overloaded: true }));
  // What the platform throws at the calls in flight when it ends an object that is out of memory (workerd, actor-cache.c++).
  const outOfMemory = answerLost(platformError({ overloaded: true, durableObjectReset: true }));

  test.for([
    ["the Worker's own retry met an overloaded object", [passing, overloaded]],
    ["the Worker's own retry met a full queue", [passing, queueIsFull]],
    ["the object was overloaded and reset for it", [outOfMemory]],
  ] as const)("to a claim that landed: %s", async ([, deliveries]) => {
    const name = await created(5);
    const over = platform(...deliveries);
    const answer = await claimOver(over, name, "ada");
    expect((await read(name)).body["remaining_amount"]).toBe(4);
    expect(over.calls).toHaveLength(deliveries.length);
    expect(answer.status).toBe(503);
    expect(answer.body["code"]).toBe("outcome_unknown");
  });

  test("to a create that landed: the object was overloaded and reset for it", async () => {
    const name = freshName();
    const answer = await sendOver(platform(outOfMemory), "POST", "/api/coupons", { body: { name, amount: 5 } });
    expect((await read(name)).status).toBe(200);
    expect(answer.status).toBe(503);
    expect(answer.body["code"]).toBe("outcome_unknown");
  });
});
