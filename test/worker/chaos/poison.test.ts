// One claim that can't be granted, in a batch with many that can.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, outcomeOf, send, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stubOf } from "../../support/storage.ts";

const ROUNDS = Array.from({ length: 20 }, (_, round) => round);

/** What is sent among honest claims, and how it must end. */
const POISON: Readonly<Record<string, (name: string, round: number) => Promise<string>>> = {
  "malformed JSON": async (_name, round) => {
    const raw = ['{"user_id": 7, "coupon_name": ', '{"user_id": "\\ud800", "coupon_name": "x"}', "[[[[[["][round % 3] ?? "";
    return outcomeOf(await send("POST", "/api/coupons/claim", { raw }));
  },
  "a user that is no string": async (name) => {
    const result = await stubOf(name).claim({ userId: { evil: true } as unknown as string, key: null, attemptId: "poison" });
    return result.ok ? "granted" : result.code;
  },
  "an attempt id that can't be stored": async (name) => {
    const result = await stubOf(name).claim({ userId: "poisoner", key: null, attemptId: null as unknown as string });
    return result.ok ? "granted" : result.code;
  },
};

test.for([
  ["malformed JSON", "400 invalid_request"],
  ["a user that is no string", "invalid_request"],
  ["an attempt id that can't be stored", "unavailable"],
] as const)("a claim with %s fails alone, with %s", async ([what, outcome]) => {
  for (const round of ROUNDS) {
    const name = await created(20);
    const before = users(10).map((user) => claim(name, user));
    const poison = POISON[what]?.(name, round);
    const after = users(10, "later").map((user) => claim(name, user));
    expect(await poison).toBe(outcome);
    const answers = await Promise.all([...before, ...after]);
    expect(countOutcomes(answers)).toEqual({ 201: 20 });
    await expectConserved(name, answers);
  }
});
