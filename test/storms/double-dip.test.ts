// One user with many requests at once gets one unit, and every answer agrees.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, receiptOf, users } from "../support/api.ts";
import { expectConserved } from "../support/conserved.ts";

test.for([
  [10, 10],
  [50, 1],
] as const)("one user with %i requests at once gets one unit and one receipt (rounds: %i)", async ([requestCount, times]) => {
  for (let time = 0; time < times; time += 1) {
    const name = await created(100);
    const answers = await Promise.all(Array.from({ length: requestCount }, () => claim(name, "greedy")));

    expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": requestCount - 1 });
    const receipts = answers.map((answer) => (answer.status === 201 ? receiptOf(answer) : answer.body["claim"]));
    expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
    // Nothing of the storage's constraints is in an answer.
    expect(JSON.stringify(answers)).not.toMatch(/SQLITE|constraint|UNIQUE|INSERT|stack|at \w+ \(/i);
    expect((await read(name)).body).toMatchObject({ remaining_amount: 99, claimed_by: ["greedy"] });
    const { ledger } = await expectConserved(name, answers);
    expect(ledger.map(({ kind }) => kind)).toEqual(["created", "claimed"]);
  }
});

test("ten users with twenty requests each at once get one unit each", async () => {
  const name = await created(100);
  const requests = users(10).flatMap((user) => Array.from({ length: 20 }, () => user));
  const answers = await Promise.all(requests.map((user) => claim(name, user)));
  expect(countOutcomes(answers)).toEqual({ 201: 10, "409 already_claimed": 190 });
  await expectConserved(name, answers);
});

test("twenty requests with one key at once get the same receipt, 19 of them replayed", async () => {
  const name = await created(5);
  const answers = await Promise.all(Array.from({ length: 20 }, () => claim(name, "patient", { "Idempotency-Key": "attempt-1" })));
  expect(countOutcomes(answers)).toEqual({ 201: 20 });
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get("Idempotent-Replayed") === "true")).toHaveLength(19);
  await expectConserved(name, answers);
});

test("of 100 users with two requests each for ten units, no winner gets out_of_stock", async () => {
  const name = await created(10);
  const requests = users(100).flatMap((user) => [user, user]);
  const answers = await Promise.all(requests.map((user) => claim(name, user)));
  const winners = new Set((await read(name)).body["claimed_by"] as string[]);
  const ofWinners = answers.filter((_, index) => winners.has(requests[index] ?? ""));
  expect(countOutcomes(ofWinners)).toEqual({ 201: 10, "409 already_claimed": 10 });
  expect(countOutcomes(answers)).toEqual({ 201: 10, "409 already_claimed": 10, "400 out_of_stock": 180 });
  await expectConserved(name, answers);
});
