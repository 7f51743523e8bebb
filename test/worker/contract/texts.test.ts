// Names and users: 1 to 255 code points, compared, stored and returned exactly as sent.

import { describe, expect, test } from "vitest";

import {
  change,
  claim,
  create,
  freshName,
  getUserClaim,
  hold,
  listClaims,
  outcomeOf,
  pathOf,
  read,
  readStatus,
  receiptOf,
  releaseHold,
  revoke,
  send,
} from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

const REQUIRED = "is required";
const BLANK = "cannot be whitespace only";
const TOO_LONG = "exceeds maximum length of 255";
const INVALID = "is invalid";

/** What no text field accepts, as JSON. */
const REFUSED = [
  ["null", "null", REQUIRED],
  ["the empty string", '""', REQUIRED],
  ["a space", '" "', BLANK],
  ["no-break and ideographic spaces", String.raw`"\u00a0\u3000"`, BLANK],
  ["256 letters", JSON.stringify("x".repeat(256)), TOO_LONG],
  ["256 characters of 4 bytes", JSON.stringify("🎉".repeat(256)), TOO_LONG],
  ["a text with NUL", String.raw`"a\u0000b"`, INVALID],
  ["a text with DEL", String.raw`"a\u007f"`, INVALID],
  ["a high surrogate alone", String.raw`"a\ud83c"`, INVALID],
  ["a number", "0", INVALID],
  ["a list", '["x"]', INVALID],
] as const;

describe.for([
  ["name", "/api/coupons", (json: string) => `{"amount":1,"name":${json}}`, '{"amount":1}'],
  ["coupon_name", "/api/coupons/claim", (json: string) => `{"user_id":"u","coupon_name":${json}}`, '{"user_id":"u"}'],
  ["user_id", "/api/coupons/claim", (json: string) => `{"coupon_name":"c","user_id":${json}}`, '{"coupon_name":"c"}'],
] as const)("%s", ([field, path, around, without]) => {
  test.for([...REFUSED, ["missing", null, REQUIRED] as const])(`a ${field} that is %s gets 400`, async ([, json, fault]) => {
    const answer = await postRaw(path, json === null ? without : around(json));
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect(answer.body["fields"]).toEqual({ [field]: fault });
    expect(answer.headers.get("Coupon-Seq")).toBeNull();
  });
});

test("a request with several faults lists them all, and the sentence names the first", async () => {
  const claimed = await postRaw("/api/coupons/claim", '{"coupon_name":7}');
  expectRefused(claimed, "400 invalid_request", "invalid request: user_id is required");
  expect(claimed.body["fields"]).toEqual({ user_id: REQUIRED, coupon_name: INVALID });

  const made = await postRaw("/api/coupons", '{"name":" ","amount":0,"starts_at":"soon"}');
  expectRefused(made, "400 invalid_request", "invalid request: name cannot be whitespace only");
  expect(made.body["fields"]).toEqual({ name: BLANK, amount: "must be at least 1", starts_at: expect.stringContaining("RFC 3339") });
});

test.for([
  "x",
  "x".repeat(255),
  "🎉".repeat(255),
  "/a/b//c/",
  "../up",
  "\\a\\n\\u0041\\",
  "100%",
  "%2F%00%zz",
  `"'\`«»`,
  "?a=b&c=d#e;f:g@h!$()*+,",
  "用户 🎉 Ünïcödé العربية",
  "👩‍👩‍👧‍👦",
  "  x  ",
  "a\u2028b",
  "\uffff",
  "\u200b",
  "claim",
  "status",
  ":name",
  "{name}",
  "*",
  "...",
  "__proto__",
  "constructor",
  "null",
  "007",
  "x'; DROP TABLE claims; --",
  `x"); DELETE FROM coupon; --`,
  "%_?1:a@b$c",
  "<script>alert(1)</script>",
  "${7*7}{{7*7}}",
])("the text %s is a name and a user on every route", async (text) => {
  const made = await create(text, 5);
  expect([made.status, made.body["name"]]).toEqual([201, text]);
  const won = await claim(text, text);
  const receipt = receiptOf(won);
  expect(receipt).toMatchObject({ coupon_name: text, user_id: text, position: 1 });
  expect((await claim(text, text)).body["claim"]).toEqual(receipt);
  expect((await getUserClaim(text, text)).body).toEqual(receipt);
  expect((await listClaims(text)).body["claims"]).toEqual([receipt]);
  expect((await read(text)).body).toMatchObject({ name: text, claimed_by: [text] });
  expect((await readStatus(text)).body).toMatchObject({ name: text, remaining_amount: 4 });
  expect((await revoke(text, text)).body).toMatchObject({ ...receipt, remaining_amount: 5 });
  expect((await hold(text, text)).body).toMatchObject({ coupon_name: text, user_id: text, remaining_amount: 4 });
  expect((await releaseHold(text, text)).status).toBe(204);
  expect((await change(text, { amount: 6 })).body).toMatchObject({ name: text, amount: 6, remaining_amount: 6 });
  await expectConserved(text, [won]);
});

test("the longest claim with every character escaped is granted", async () => {
  const longest = "🎊".repeat(255);
  expect((await create(longest, 1)).status).toBe(201);
  const escaped = String.raw`\ud83c\udf8a`.repeat(255);
  const answer = await postRaw("/api/coupons/claim", `{"user_id":"${escaped}","coupon_name":"${escaped}"}`);
  expect(answer.status).toBe(201);
  expect([answer.body["coupon_name"], answer.body["user_id"]]).toEqual([longest, longest]);
});

// A path can't carry these.
test.for([".", ".."])("the text %s is no name, but a user that can claim", async (dots) => {
  expectRefused(await create(dots, 1), "400 invalid_request", "invalid request: name is invalid");
  expectRefused(await claim(dots, "user"), "400 invalid_request", "invalid request: coupon_name is invalid");

  const name = freshName();
  await create(name, 2);
  await claim(name, "ann");
  expect((await claim(name, dots)).body["user_id"]).toBe(dots);
  for (const ask of [getUserClaim, revoke, releaseHold]) expect(outcomeOf(await ask(name, dots))).toBe("404 not_found");
  expect((await read(name)).body["claimed_by"]).toEqual(["ann", dots]);
});

test.for(["%", "%zz", "%ff", "%c3%28", "%00", "a".repeat(256)])("the user %s in a path, which is no text, gets 404", async (segment) => {
  const name = freshName();
  await create(name, 1);
  expectRefused(await send("GET", `${pathOf(name, "claims")}/${segment}`), "404 claim_not_found");
});

test.for([
  ["in upper and lower case", "Promo", "promo"],
  ["composed and decomposed", "caf\u00e9", "cafe\u0301"],
  ["with a space at the end", "deal", "deal "],
  ["in full width", "deal-A", "deal-\uff21"],
  ["escaped", "a/b", "a%2Fb"],
  ["with an invisible character", "sale", "sale\u200b"],
  ["in Latin and Cyrillic letters", "PACE", "РАСЕ"],
] as const)("two texts that differ only %s are two coupons and two users", async ([, one, other]) => {
  const made = [await create(one, 10), await create(other, 20)];
  expect(made.map(({ status }) => status)).toEqual([201, 201]);
  expect([(await read(one)).body["amount"], (await read(other)).body["amount"]]).toEqual([10, 20]);

  expect((await claim(one, one)).status).toBe(201);
  expect((await claim(one, other)).status).toBe(201);
  expect((await getUserClaim(one, other)).body["position"]).toBe(2);
  expect((await read(other)).body["claimed_by"]).toEqual([]);
});
