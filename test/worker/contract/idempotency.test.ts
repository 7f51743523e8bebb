// The Idempotency-Key: the same key gets the same answer, byte for byte.

import { expect, test } from "vitest";

import { claim, countOutcomes, created, read, receiptOf, users } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

const KEY = { "Idempotency-Key": "order-7" };

function claimRaw(name: string, user: string, headers: Record<string, string> = KEY, more: Record<string, unknown> = {}) {
  return postRaw("/api/coupons/claim", JSON.stringify({ user_id: user, coupon_name: name, ...more }), headers);
}

test("a claim with the same key gets the same bytes, also after sell-out", async () => {
  const name = await created(3);
  const first = await claimRaw(name, "user");
  expect([first.status, first.headers.get("Idempotent-Replayed")]).toEqual([201, null]);
  for (const [index, other] of users(3, "other").entries()) {
    // Unknown fields beside the claim are ignored.
    const again = await claimRaw(name, "user", KEY, { sent_at: index });
    expect([again.status, again.text, again.headers.get("Idempotent-Replayed")]).toEqual([201, first.text, "true"]);
    expect(again.headers.get("Coupon-Seq")).toBe(String(2 + index));
    await claim(name, other);
  }
  expect((await claim(name, "late")).body["code"]).toBe("out_of_stock");
  expect((await claimRaw(name, "user")).text).toBe(first.text);
  await expectConserved(name);
});

test("30 claims with the same key at once get 30 equal receipts", async () => {
  const name = await created(30);
  const answers = await Promise.all(users(30).map(() => claimRaw(name, "user")));
  expect(countOutcomes(answers)).toEqual({ 201: 30 });
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get("Idempotent-Replayed") === "true")).toHaveLength(29);
  await expectConserved(name, answers);
});

test.for([
  ["order-7", '"order-7"'],
  ['"order-7"', "order-7"],
] as const)("a claim with the key %s, repeated with %s, is a replay", async ([first, second]) => {
  const name = await created(5);
  const original = await claimRaw(name, "user", { "Idempotency-Key": first });
  const again = await claimRaw(name, "user", { "Idempotency-Key": second });
  expect([again.status, again.text, again.headers.get("Idempotent-Replayed")]).toEqual([201, original.text, "true"]);
});

test.for([
  ["another key", { "Idempotency-Key": "second" }],
  ["the key in other letters", { "Idempotency-Key": "Order-7" }],
  ["no key", {}],
  ["the same request id alone", { "X-Request-Id": "request-1" }],
] as const)("a winner's claim with %s gets 409 with the receipt", async ([, headers]) => {
  const name = await created(5);
  const first = await claim(name, "user", { ...KEY, "X-Request-Id": "request-1" });
  const again = await claim(name, "user", headers);
  expectRefused(again, "409 already_claimed", "coupon already claimed by user");
  expect(again.body["claim"]).toEqual(receiptOf(first));
  expect(again.headers.get("Idempotent-Replayed")).toBeNull();
});

test("a winner's second claim with a first key gets 409 and stores no key", async () => {
  const name = await created(5);
  await claim(name, "user");
  expect((await claim(name, "user", KEY)).status).toBe(409);
  expect((await claim(name, "other", KEY)).status).toBe(201);
});

test.for([1, 5])("another user's key for a coupon of %i units gets 422 without the claim", async (amount) => {
  const name = await created(amount);
  await claim(name, "first", KEY);
  const second = await claim(name, "second", { "Idempotency-Key": '"order-7"' });
  expectRefused(second, "422 idempotency_key_reused");
  expect(second.body).not.toHaveProperty("claim");
  expect((await claim(name, "second", { "Idempotency-Key": "new" })).status).toBe(amount === 1 ? 400 : 201);
  await expectConserved(name);
});

test("a key sent by 20 users at once is granted to one", async () => {
  const name = await created(50);
  const answers = await Promise.all(users(20).map((user) => claim(name, user, KEY)));
  expect(countOutcomes(answers)).toEqual({ 201: 1, "422 idempotency_key_reused": 19 });
  const winner = answers.find(({ status }) => status === 201);
  const again = await claim(name, String(winner?.body["user_id"]), KEY);
  expect([again.status, again.body]).toEqual([201, winner?.body]);
  await expectConserved(name, answers);
});

test("a key is not stored with a refused claim", async () => {
  const name = await created(1);
  await claim(name, "winner");
  for (const user of ["first", "second"]) expectRefused(await claim(name, user, KEY), "400 out_of_stock", "coupon out of stock");
});

test.for([
  ["1 character", "k"],
  ["255 characters", "k".repeat(255)],
  ["255 characters in quotes", `"${"k".repeat(255)}"`],
  ["every kind of visible character", "!#$%&'()*+,-./0129:;<=>?@AZ[\\]^_`az{|}~"],
  ["SQL", "');DROP/**/TABLE/**/claims;--"],
] as const)("a key of %s is accepted and replays", async ([, key]) => {
  const name = await created(2);
  const first = await claimRaw(name, "user", { "Idempotency-Key": key });
  const again = await claimRaw(name, "user", { "Idempotency-Key": key });
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
  await expectConserved(name);
});

test.for([
  ["nothing", ""],
  ["nothing in quotes", '""'],
  ["256 characters", "k".repeat(256)],
  ["256 characters in quotes", `"${"k".repeat(256)}"`],
  ["two words", "two words"],
  ["a string that does not end", '"order-77'],
  ["two strings in one header", '"one", "two"'],
  ["a tab inside", "two\twords"],
  ["two keys in one header", "one, two"],
  ["letters beyond ASCII", "clé"],
] as const)("a key of %s gets 400, and nothing is claimed", async ([, key]) => {
  const name = await created(2);
  const answer = await claim(name, "user", { "Idempotency-Key": key });
  expectRefused(answer, "400 invalid_request", "invalid request: Idempotency-Key is invalid");
  expect(answer.headers.get("Coupon-Seq")).toBeNull();
  expect((await read(name)).body["claimed_by"]).toEqual([]);
});
