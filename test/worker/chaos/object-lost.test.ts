// The object is evicted, or all objects are aborted, while it receives claims.

import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, countOutcomes, created, read, users, type Answer } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stubOf } from "../../support/storage.ts";

const LOSSES = {
  evicted: (name: string) => evictDurableObject(stubOf(name)),
  aborted: () => abortAllDurableObjects(),
} as const;

function keyOf(user: string): Record<string, string> {
  return { "Idempotency-Key": `key-of-${user}` };
}

describe.for(["evicted", "aborted"] as const)("an object that is %s under load", (loss) => {
  test(`an object that is ${loss} under load keeps acknowledged claims, and each retry wins`, async () => {
    const name = await created(200);
    await claim(name, "early");
    const claims = users(150).map((user) => claim(name, user, keyOf(user)));
    await LOSSES[loss](name);
    const answers = await Promise.all(claims);
    expect(Object.keys(countOutcomes(answers)).filter((outcome) => outcome !== "201" && !outcome.startsWith("503"))).toEqual([]);
    await expectConserved(name, answers);

    const retries = await Promise.all(users(150).map((user) => claim(name, user, keyOf(user))));
    expect(countOutcomes(retries)).toEqual({ 201: 150 });
    expect((await read(name)).body["remaining_amount"]).toBe(200 - 151);
    await expectConserved(name, [...answers, ...retries]);
  });

  test(`an object that is ${loss} under load gives out exactly the stock`, async () => {
    const name = await created(190);
    const answers: Answer[] = [];
    for (let round = 0; round < 4; round += 1) {
      // Only an object that runs can be evicted.
      await read(name);
      const claims = users(50, `round-${round}`).flatMap((user) => [claim(name, user, keyOf(user)), claim(name, user)]);
      await LOSSES[loss](name);
      answers.push(...(await Promise.all(claims)));
    }
    expect(answers.map(({ status }) => status).filter((status) => ![201, 400, 409, 503].includes(status))).toEqual([]);
    expect((await read(name)).body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
    await expectConserved(name, answers);
  });
});

test("an evicted object knows its coupon and its claims when it starts again", async () => {
  const name = await created(3);
  await claim(name, "a");
  await claim(name, "b");
  const before = await read(name);
  await evictDurableObject(stubOf(name));
  expect((await read(name)).body).toEqual(before.body);
  expect((await claim(name, "a")).body).toMatchObject({ code: "already_claimed", claim: { position: 1 } });
  expect((await claim(name, "c")).body).toMatchObject({ position: 3, remaining_amount: 0 });
});
