// The object is evicted or aborted in the middle of a storm of claims.

import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, countOutcomes, created, read, users, type Answer } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";

const DISASTERS = {
  evicted: (name: string) => evictDurableObject(stubOf(name)),
  aborted: () => abortAllDurableObjects(),
} as const;

function keyOf(user: string): Record<string, string> {
  return { "Idempotency-Key": `key-of-${user}` };
}

describe.for(["evicted", "aborted"] as const)("an object %s mid-storm", (disaster) => {
  test("forgets nobody who was told yes, and every retry with the same key wins", async () => {
    const name = await created(200);
    await claim(name, "early");
    const storm = users(150).map((user) => claim(name, user, keyOf(user)));
    await DISASTERS[disaster](name);
    const answers = await Promise.all(storm);

    expect(Object.keys(countOutcomes(answers)).filter((outcome) => outcome !== "201" && !outcome.startsWith("503"))).toEqual([]);
    const { claims } = await stored(name);
    const onRecord = new Set(claims.map(({ user_id }) => user_id));
    const told = answers.filter(({ status }) => status === 201).map(({ body }) => String(body["user_id"]));
    expect(told.filter((user) => !onRecord.has(user))).toEqual([]);

    const retries = await Promise.all(users(150).map((user) => claim(name, user, keyOf(user))));
    expect(countOutcomes(retries)).toEqual({ 201: 150 });
    expect((await read(name)).body["remaining_amount"]).toBe(200 - 151);
    await expectConserved(name, [...answers, ...retries]);
  });

  test("gives out exactly the stock when demand exceeds it", async () => {
    const name = await created(190);
    const answers: Answer[] = [];
    for (let round = 0; round < 4; round += 1) {
      // Only an object that runs can be evicted.
      await read(name);
      const storm = users(50, `round-${round}`).map((user) => claim(name, user, keyOf(user)));
      await DISASTERS[disaster](name);
      answers.push(...(await Promise.all(storm)));
    }
    expect((await read(name)).body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
    await expectConserved(name, answers);
  });
});

test("a cold object knows what the warm one knew", async () => {
  const name = await created(3);
  await claim(name, "a");
  await claim(name, "b");
  const before = await read(name);
  await evictDurableObject(stubOf(name));
  expect((await read(name)).body).toEqual(before.body);
  expect((await claim(name, "a")).body).toMatchObject({ code: "already_claimed", claim: { position: 1 } });
  expect((await claim(name, "c")).body).toMatchObject({ position: 3, remaining_amount: 0 });
});
