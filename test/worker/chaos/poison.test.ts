// One claim that can't be taken, among many that can.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, send, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";

const MALFORMED: readonly string[] = [
  '{"user_id": 7, "coupon_name": ',
  '{"user_id": "\\ud800", "coupon_name": "x"}',
  '{"user_id": "a\\u0000b", "coupon_name": "x"}',
  "[[[[[[",
];

test("a malformed claim over HTTP, 40 times among 20 honest ones, spoils nothing", async () => {
  for (let round = 0; round < 40; round += 1) {
    const name = await created(20);
    const honest = users(20).map((user) => claim(name, user));
    const poison = send("POST", "/api/coupons/claim", { raw: MALFORMED[round % MALFORMED.length] ?? "" });
    expect((await poison).status).toBe(400);
    const answers = await Promise.all(honest);
    expect(countOutcomes(answers)).toEqual({ 201: 20 });
    await expectConserved(name, answers);
  }
});

test("a claim that gets past the Worker malformed is refused by the object alone", async () => {
  for (let round = 0; round < 40; round += 1) {
    const name = await created(20);
    const stub = stubOf(name);
    const honest = users(20).map((user) => claim(name, user));
    const poison = stub.claim({ userId: { evil: true } as unknown as string, key: null, attemptId: "poison" });
    expect(await poison).toMatchObject({ ok: false, code: "invalid_request" });
    expect(countOutcomes(await Promise.all(honest))).toEqual({ 201: 20 });
    await expectConserved(name);
  }
});

test("a claim that no statement can store fails alone, and its batch is answered as if it had not been there", async () => {
  for (let round = 0; round < 40; round += 1) {
    const name = await created(20);
    const stub = stubOf(name);
    const before = users(10).map((user) => claim(name, user));
    const poison = stub.claim({ userId: "poisoner", key: null, attemptId: null as unknown as string });
    const after = users(10, "later").map((user) => claim(name, user));

    expect(await poison).toMatchObject({ ok: false, code: "unavailable" });
    expect(countOutcomes(await Promise.all([...before, ...after]))).toEqual({ 201: 20 });
    expect((await read(name)).body["remaining_amount"]).toBe(0);
    expect((await stored(name)).claims.some(({ user_id }) => user_id === "poisoner")).toBe(false);
    await expectConserved(name);
  }
});
