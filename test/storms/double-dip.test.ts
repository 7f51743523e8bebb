// One user, many requests at once: one unit, and the truth about it.

import { describe, expect, test } from "vitest";

import { claim, countOutcomes, created, read, users } from "../support/api.ts";
import { expectConserved } from "../support/conserved.ts";
import { stored } from "../support/storage.ts";

const LEAKS = /SQLITE|constraint|UNIQUE|INSERT|stack|at \w+ \(/i;

async function expectOneUnit(requestCount: number): Promise<void> {
  const name = await created(100);
  const answers = await Promise.all(Array.from({ length: requestCount }, () => claim(name, "greedy")));

  expect(countOutcomes(answers)).toEqual({ 201: 1, "409 already_claimed": requestCount - 1 });
  const granted = answers.find(({ status }) => status === 201);
  const { remaining_amount: _left, ...receipt } = granted?.body ?? {};
  for (const { body } of answers.filter(({ status }) => status === 409)) {
    expect(body).toMatchObject({ error: "coupon already claimed by user", claim: receipt });
    expect(JSON.stringify(body)).not.toMatch(LEAKS);
  }
  expect((await read(name)).body).toMatchObject({ remaining_amount: 99, claimed_by: ["greedy"] });
  expect((await stored(name)).ledger.map(({ kind }) => kind)).toEqual(["created", "claimed"]);
  await expectConserved(name, answers);
}

describe("a user gets one unit, however often they ask", () => {
  test.for(Array.from({ length: 10 }, (_, index) => index + 1))("10 requests at once, run %i of 10", () => expectOneUnit(10));

  test("a violation storm of 50 requests leaks nothing of the storage", () => expectOneUnit(50));

  test("ten users, twenty requests each, win once each", async () => {
    const name = await created(100);
    const asking = users(10).flatMap((user) => Array.from({ length: 20 }, () => user));
    const answers = await Promise.all(asking.map((user) => claim(name, user)));
    expect(countOutcomes(answers)).toEqual({ 201: 10, "409 already_claimed": 190 });
    await expectConserved(name, answers);
  });

  test("the same key, twenty times at once, is one grant answered twenty times", async () => {
    const name = await created(5);
    const answers = await Promise.all(Array.from({ length: 20 }, () => claim(name, "patient", { "Idempotency-Key": "attempt-1" })));
    expect(countOutcomes(answers)).toEqual({ 201: 20 });
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("Idempotent-Replayed") === "true")).toHaveLength(19);
    await expectConserved(name, answers);
  });

  test("a winner who asks again during the stampede is never answered that they lost", async () => {
    const name = await created(10);
    const answers = await Promise.all(users(100).flatMap((user) => [claim(name, user), claim(name, user)]));
    const winners = new Set((await read(name)).body["claimed_by"] as string[]);
    const asked = users(100).flatMap((user) => [user, user]);
    const outcomes = asked.filter((user) => winners.has(user)).map((user) => user);
    const answered = answers.filter((_, index) => winners.has(asked[index] ?? ""));
    expect(outcomes).toHaveLength(20);
    expect(countOutcomes(answered)).toEqual({ 201: 10, "409 already_claimed": 10 });
    await expectConserved(name, answers);
  });
});
