// The object did it, and its answer is lost: no user gets two units, and no answer is wrong.

import { expect, test } from "vitest";

import { claim, created, freshName, outcomeOf, read } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { answerLost, claimOver, lost, platform, platformError, sendOver, type Delivery } from "../../support/platform-faults.ts";
import { stored } from "../../support/storage.ts";

const KEY = { "Idempotency-Key": "key-1" };
const queueIsFull: Delivery = () => Promise.resolve({ ok: false, code: "unavailable", seq: 2 });
const ANSWER_LOST = answerLost(platformError({ retryable: true }));

test.for([
  ["once", [ANSWER_LOST]],
  ["twice", [ANSWER_LOST, answerLost(platformError({ durableObjectReset: true }))]],
] as const)("a claim whose answer is lost %s gets a plain 201 and one unit", async ([, deliveries]) => {
  const name = await created(5);
  const over = platform(...deliveries);
  const answer = await claimOver(over, name, "ada", KEY);
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ coupon_name: name, user_id: "ada", position: 1, remaining_amount: 4 });
  expect([answer.headers.get("Idempotent-Replayed"), answer.headers.get("Coupon-Seq")]).toEqual([null, "2"]);
  expect(over.calls).toHaveLength(deliveries.length + 1);

  const again = await claim(name, "ada", KEY);
  expect([again.status, again.body, again.headers.get("Idempotent-Replayed")]).toEqual([201, answer.body, "true"]);
  expect((await stored(name)).ledger).toHaveLength(2);
  await expectConserved(name, [answer, again]);
});

test("a claim whose answers are all lost gets its receipt by key", async () => {
  const name = await created(5);
  const over = platform(ANSWER_LOST, ANSWER_LOST, ANSWER_LOST);
  expect(outcomeOf(await claimOver(over, name, "ada", KEY))).toBe("503 outcome_unknown");
  expect(over.calls).toHaveLength(3);
  const again = await claim(name, "ada", KEY);
  expect([again.status, again.body]).toMatchObject([201, { position: 1, remaining_amount: 4 }]);
  await expectConserved(name, [again]);
});

const overloaded = lost(platformError({ overloaded: true }));
// The platform throws this when it ends an object that is out of memory (workerd, actor-cache.c++).
const outOfMemory = answerLost(platformError({ overloaded: true, durableObjectReset: true }));

test.for([
  ["the object is overloaded", [ANSWER_LOST, overloaded]],
  ["the queue is full", [ANSWER_LOST, queueIsFull]],
  ["the object is reset for memory", [outOfMemory]],
] as const)("a claim granted before %s gets outcome_unknown, not unavailable", async ([, deliveries]) => {
  const name = await created(5);
  const over = platform(...deliveries);
  expect(outcomeOf(await claimOver(over, name, "ada"))).toBe("503 outcome_unknown");
  expect(over.calls).toHaveLength(deliveries.length);
  expect((await read(name)).body["remaining_amount"]).toBe(4);
});

test("a create done before a reset for memory gets outcome_unknown, not unavailable", async () => {
  const name = freshName();
  const answer = await sendOver(platform(outOfMemory), "POST", "/api/coupons", { body: { name, amount: 5 } });
  expect(outcomeOf(answer)).toBe("503 outcome_unknown");
  expect((await read(name)).status).toBe(200);
});
