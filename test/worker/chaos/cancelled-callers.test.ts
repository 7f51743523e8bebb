// Callers who go away in the middle of a claim.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, send, users, type Answer } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { stored } from "../../support/storage.ts";

async function abandoned(name: string, user: string, headers: Record<string, string> = {}): Promise<"gone" | Answer> {
  const caller = new AbortController();
  const body = { user_id: user, coupon_name: name };
  const answer = send("POST", "/api/coupons/claim", { body, headers, signal: caller.signal });
  // The request has begun and has no answer yet, as when a browser tab is closed.
  queueMicrotask(() => caller.abort());
  return answer.catch(() => "gone" as const);
}

test("100 callers who abort their claims do not disturb 100 others or the stock", async () => {
  const name = await created(1000);
  const outcomes = await Promise.all(users(100).flatMap((user) => [abandoned(name, `leaver-${user}`), claim(name, `stayer-${user}`)]));
  const answers = outcomes.filter((outcome) => outcome !== "gone");
  const stayers = answers.filter(({ body }) => String(body["user_id"]).startsWith("stayer-"));
  expect(countOutcomes(stayers)).toEqual({ 201: 100 });
  await expectConserved(name, answers);
});

test("a caller who aborts and repeats with the same key gets one unit", async () => {
  const name = await created(10);
  const key = { "Idempotency-Key": "left-once" };
  await abandoned(name, "leaver", key);
  expect((await claim(name, "leaver", key)).status).toBe(201);
  expect((await read(name)).body).toMatchObject({ remaining_amount: 9, claimed_by: ["leaver"] });
  expect((await stored(name)).ledger).toHaveLength(2);
});
