// A repeated claim: the same attempt gets the same answer, and another attempt gets what the user has.

import { expect, test } from "vitest";

import { asks, contents, EngineCalls, opened, outcomes, T0, type Opened } from "./coupon.ts";

const RECEIPT = { userId: "ann", position: 1, claimedAt: T0, remainingAfter: 1 };

/** Two units, one of them ann's with the key `k`, from the attempt `first`. */
function withAnn(): Opened {
  const coupon = opened(2);
  coupon.engine.claimAll([asks("ann", { key: "k", attemptId: "first" })], T0);
  return coupon;
}

test.for([
  ["the same key", { key: "k" }, { ok: true, replayed: true }],
  ["the same attempt id", { attemptId: "first" }, { ok: true, replayed: true }],
  ["the same attempt id and another key", { key: "other", attemptId: "first" }, { ok: true, replayed: true }],
  ["no key", {}, { ok: false, code: "already_claimed" }],
  ["another key", { key: "other" }, { ok: false, code: "already_claimed" }],
  ["the key in upper case", { key: "K" }, { ok: false, code: "already_claimed" }],
  ["the key and a space", { key: "k " }, { ok: false, code: "already_claimed" }],
] as const)("a winner who retries with %s gets the receipt (%o, %o)", ([, more, answer]) => {
  const { engine, sql } = withAnn();
  const before = contents(sql);
  expect(engine.claimAll([asks("ann", more)], T0 + 60_000)).toMatchObject([{ ...answer, claim: RECEIPT, seq: 2 }]);
  expect(contents(sql)).toEqual(before);
});

test.for([
  ["sold out", "amount = 1", "out_of_stock"],
  ["paused", "paused = 1", "sale_paused"],
  ["ended", `ends_at = ${T0}`, "sale_ended"],
  ["scheduled", `starts_at = ${T0 + 1}`, "sale_not_started"],
] as const)("a winner who retries while the sale is %s gets the receipt", ([, change, refusal]) => {
  const { sql } = withAnn();
  sql.database.exec(`UPDATE coupon SET ${change}`);
  const again = [asks("ann", { key: "k" }), asks("ann"), asks("bob", { key: "k" }), asks("loser")];
  const expected = ["replayed", "already_claimed", "idempotency_key_reused", refusal];
  expect(outcomes(new EngineCalls(sql).claimAll(again, T0))).toEqual(expected);
});

test("a key of another user's claim is refused and stores nothing", () => {
  const { engine, sql } = withAnn();
  const before = contents(sql);
  expect(engine.claimAll([asks("bob", { key: "k" })], T0)).toEqual([{ ok: false, code: "idempotency_key_reused", seq: 2 }]);
  expect(contents(sql)).toEqual(before);
  expect(outcomes(engine.claimAll([asks("bob", { key: "K" })], T0))).toEqual(["granted"]);
});

test.for([
  ["in the same batch", false],
  ["before the batch", true],
] as const)("a key of a claim, made %s and revoked in it, is free for others", ([, isStored]) => {
  const { engine, sql } = opened(5);
  const ann = { kind: "claim", request: asks("ann", { key: "k" }) } as const;
  const revoke = { kind: "revoke", request: { userId: "ann", position: null } } as const;
  const bob = { kind: "claim", request: asks("bob", { key: "k" }) } as const;
  if (isStored) engine.one(ann, T0);
  const answers = engine.batch<"claim" | "revoke">(isStored ? [revoke, bob] : [ann, revoke, bob], T0);
  expect(answers.at(-1)).toMatchObject({ ok: true, claim: { userId: "bob", position: 2, key: "k" } });
  expect(sql.all("SELECT user_id, idempotency_key AS key FROM claims")).toEqual([{ user_id: "bob", key: "k" }]);
});
