// The whole runtime drops or evicts its objects in the middle of claims. Alone in its file: the drop meets every object.

import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";

import { claim, created, read, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored, stubOf } from "../../support/storage.ts";

const keyOf = (user: string) => ({ "Idempotency-Key": `key-of-${user}` });

const LOSSES = {
  aborted: () => abortAllDurableObjects(),
  evicted: (name: string) => evictDurableObject(stubOf(name)),
} as const;

test.for(["aborted", "evicted"] as const)("objects that are %s under 100 claims keep every acknowledged claim", async (loss) => {
  const name = await created(60);
  // Each of 50 users asks twice, once without a key: the second of the two is a 409 wherever the first one got through.
  const storm = users(50).flatMap((user) => [claim(name, user, keyOf(user)), claim(name, user)]);
  await LOSSES[loss](name);
  const answers = await Promise.all(storm);
  expect(answers.map(({ status }) => status).filter((status) => ![201, 400, 409, 503].includes(status))).toEqual([]);

  const granted = answers.filter(({ status }) => status === 201).map(({ body }) => body["user_id"]);
  const onRecord = new Set<unknown>((await stored(name)).claims.map(({ user_id }) => user_id));
  expect(granted.filter((user) => !onRecord.has(user))).toEqual([]);

  const retries = await Promise.all(granted.map((user) => claim(name, String(user))));
  expect(retries.filter(({ body }) => body["code"] !== "already_claimed")).toEqual([]);
  const rest = await Promise.all(users(50, "late").map((user) => claim(name, user, keyOf(user))));
  expect((await read(name)).body).toMatchObject({ remaining_amount: 0, state: "sold_out" });
  await expectConserved(name, [...answers, ...rest]);
});
