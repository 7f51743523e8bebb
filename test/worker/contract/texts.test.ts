// Names and users: 1 to 255 code points, compared, stored and given back exactly as given.

import { describe, expect, test } from "vitest";

import { claim, create, freshName, read, type Answer } from "../../support/api.ts";
import { expectConserved } from "../../support/conserved.ts";
import { expectRefused, postRaw } from "../../support/wire.ts";

const FIELDS = [
  ["name", "/api/coupons", (json: string) => `{"amount":1,"name":${json}}`, '{"amount":1}'],
  ["coupon_name", "/api/coupons/claim", (json: string) => `{"user_id":"u","coupon_name":${json}}`, '{"user_id":"u"}'],
  ["user_id", "/api/coupons/claim", (json: string) => `{"coupon_name":"c","user_id":${json}}`, '{"coupon_name":"c"}'],
] as const;

const REQUIRED = "is required";
const BLANK = "cannot be whitespace only";
const TOO_LONG = "exceeds maximum length of 255";
const INVALID = "is invalid";

/** What no text field takes, as JSON. */
const REFUSED = [
  ["null", "null", REQUIRED],
  ["the empty string", '""', REQUIRED],
  ["a space", '" "', BLANK],
  ["tabs and line ends", String.raw`"\t\r\n"`, BLANK],
  ["a no-break and an ideographic space", String.raw`"\u00a0\u3000"`, BLANK],
  ["300 spaces", JSON.stringify(" ".repeat(300)), BLANK],
  ["256 letters", JSON.stringify("x".repeat(256)), TOO_LONG],
  ["256 characters of 4 bytes", JSON.stringify("🎉".repeat(256)), TOO_LONG],
  ["2,000 letters", JSON.stringify("x".repeat(2000)), TOO_LONG],
  ["NUL", String.raw`"a\u0000b"`, INVALID],
  ["a line end at the end", String.raw`"a\n"`, INVALID],
  ["a tab inside", String.raw`"a\tb"`, INVALID],
  ["ESC", String.raw`"\u001b[31m"`, INVALID],
  ["DEL", String.raw`"a\u007f"`, INVALID],
  ["C1's NEL", String.raw`"a\u0085"`, INVALID],
  ["half of a surrogate pair, the high one", String.raw`"a\ud83c"`, INVALID],
  ["half of a surrogate pair, the low one", String.raw`"\udf89a"`, INVALID],
  ["surrogates in the wrong order", String.raw`"\udf89\ud83c"`, INVALID],
  ["a number", "1", INVALID],
  ["zero", "0", INVALID],
  ["true", "true", INVALID],
  ["false", "false", INVALID],
  ["a list", "[]", INVALID],
  ["a list with a text", '["x"]', INVALID],
  ["an object", "{}", INVALID],
] as const;

describe.for(FIELDS)("%s", ([field, path, around, without]) => {
  test.for(REFUSED)("can't be %s", async ([, json, fault]) => {
    const answer = await postRaw(path, around(json));
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} ${fault}`);
    expect(answer.body["fields"]).toEqual({ [field]: fault });
    expect(answer.headers.get("Coupon-Seq")).toBeNull();
  });

  test("can't be missing", async () => {
    const answer = await postRaw(path, without);
    expectRefused(answer, "400 invalid_request", `invalid request: ${field} is required`);
    expect(answer.body["fields"]).toEqual({ [field]: REQUIRED });
  });
});

describe("several fields at fault", () => {
  test("are all told, and the first of them in the sentence", async () => {
    const claimed = await postRaw("/api/coupons/claim", '{"coupon_name":7}');
    expectRefused(claimed, "400 invalid_request", "invalid request: user_id is required");
    expect(claimed.body["fields"]).toEqual({ user_id: REQUIRED, coupon_name: INVALID });

    const made = await postRaw("/api/coupons", '{"name":" ","amount":0,"starts_at":"soon"}');
    expectRefused(made, "400 invalid_request", "invalid request: name cannot be whitespace only");
    expect(made.body["fields"]).toEqual({ name: BLANK, amount: "must be at least 1", starts_at: INVALID });
  });
});

/** What every text field takes. */
const TAKEN = [
  ["one letter", "x"],
  ["255 letters", "x".repeat(255)],
  ["255 characters of 4 bytes", "🎉".repeat(255)],
  ["slashes", "/a/b//c/"],
  ["backslashes", "\\a\\n\\u0041\\"],
  ["a percent sign", "100%"],
  ["what looks like an escape", "%2F%00%zz"],
  ["quotes", `"'\`«»`],
  ["the characters of a URL", "?a=b&c=d#e;f:g@h!$()*+,"],
  ["letters of all scripts", "用户 🎉 Ünïcödé العربية"],
  ["a family of joined emoji", "👩‍👩‍👧‍👦"],
  ["spaces around", "  x  "],
  ["a line separator inside", "a\u2028b"],
  ["a noncharacter", "\uffff"],
  ["a zero-width space alone", "\u200b"],
  ["a word of the router", "claim"],
  ["a pattern of the router", ":name"],
  ["a star", "*"],
  ["three dots", "..."],
  ["a word of JavaScript", "__proto__"],
  ["null as a word", "null"],
  ["a number as a word", "007"],
  ["SQL that ends the string", "x'; DROP TABLE claims; --"],
  ["SQL that is always true", `' OR '1'='1`],
  ["SQL with double quotes", `x"); DELETE FROM coupon; --`],
  ["SQL's wildcards and parameters", "%_?1:a@b$c"],
  ["markup", "<script>alert(1)</script>"],
  ["a template", "${7*7}{{7*7}}"],
] as const;

describe("as a name and as a user", () => {
  test.for(TAKEN)("%s is taken, stored and given back as it is", async ([, text]) => {
    const made = await create(text, 2);
    expect(made.status).toBe(201);
    expect(made.body["name"]).toBe(text);

    const won = await claim(text, text);
    expect(won.status).toBe(201);
    expect([won.body["coupon_name"], won.body["user_id"]]).toEqual([text, text]);
    expect((await claim(text, text)).body["claim"]).toMatchObject({ coupon_name: text, user_id: text });

    const found = await read(text);
    expect([found.status, found.body["name"]]).toEqual([200, text]);
    expect(found.body["claimed_by"]).toEqual([text]);
    await expectConserved(text, [won]);
  });

  test("the longest claim there is, every character escaped, is taken", async () => {
    const longest = "🎊".repeat(255);
    expect((await create(longest, 1)).status).toBe(201);
    const escaped = String.raw`\ud83c\udf8a`.repeat(255);
    const answer = await postRaw("/api/coupons/claim", `{"user_id":"${escaped}","coupon_name":"${escaped}"}`);
    expect(answer.status).toBe(201);
    expect([answer.body["coupon_name"], answer.body["user_id"]]).toEqual([longest, longest]);
  });
});

describe("no path can carry . and ..", () => {
  test.for([".", ".."])("so %s is no name, but it is a user", async (dots) => {
    expectRefused(await create(dots, 1), "400 invalid_request", "invalid request: name is invalid");
    expectRefused(await claim(dots, "user"), "400 invalid_request", "invalid request: coupon_name is invalid");

    const name = freshName();
    await create(name, 1);
    expect((await claim(name, dots)).body["user_id"]).toBe(dots);
  });
});

describe("texts that only look alike", () => {
  test.for([
    ["in upper and lower case", "Promo", "promo"],
    ["composed and decomposed", "caf\u00e9", "cafe\u0301"],
    ["with a space at the end", "deal", "deal "],
    ["in full width", "deal-A", "deal-\uff21"],
    ["escaped", "a/b", "a%2Fb"],
    ["with a sign that can't be seen", "sale", "sale\u200b"],
    ["in Latin and Cyrillic letters", "PACE", "РАСЕ"],
  ] as const)("%s are two coupons, and two users", async ([, one, other]) => {
    const made: Answer[] = [await create(one, 10), await create(other, 20)];
    expect(made.map(({ status }) => status)).toEqual([201, 201]);
    expect([(await read(one)).body["amount"], (await read(other)).body["amount"]]).toEqual([10, 20]);

    expect((await claim(one, one)).status).toBe(201);
    expect((await claim(one, other)).status).toBe(201);
    expect((await read(one)).body["claimed_by"]).toEqual([one, other]);
    expect((await read(other)).body["claimed_by"]).toEqual([]);
  });
});
