// Callers who go away in the middle of a claim.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, send, users, type Answer } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored } from "../../support/storage.ts";

async function abandoned(name: string, user: string): Promise<"gone" | Answer> {
  const caller = new AbortController();
  const answer = send("POST", "/api/coupons/claim", { body: { user_id: user, coupon_name: name }, signal: caller.signal });
  // After the request was taken up, before its answer: the moment a closed browser tab would choose.
  queueMicrotask(() => caller.abort());
  return answer.catch(() => "gone" as const);
}

test("callers who leave disturb neither their neighbours nor the stock", async () => {
  const name = await created(1000);
  const outcomes = await Promise.all(users(100).flatMap((user) => [abandoned(name, `leaver-${user}`), claim(name, `stayer-${user}`)]));
  const told = outcomes.filter((outcome) => outcome !== "gone");

  const stayers = told.filter(({ body }) => String(body["user_id"]).startsWith("stayer-"));
  expect(countOutcomes(stayers)).toEqual({ 201: 100 });
  await expectConserved(name, told);
});

test("who left and asks again with the same key is told of the one unit that they have", async () => {
  const name = await created(10);
  const key = { "Idempotency-Key": "left-once" };
  const caller = new AbortController();
  const first = send("POST", "/api/coupons/claim", { body: { user_id: "leaver", coupon_name: name }, headers: key, signal: caller.signal });
  queueMicrotask(() => caller.abort());
  await first.catch(() => undefined);

  const again = await claim(name, "leaver", key);
  expect(again.status).toBe(201);
  expect((await read(name)).body).toMatchObject({ remaining_amount: 9, claimed_by: ["leaver"] });
  expect((await stored(name)).ledger).toHaveLength(2);
});
