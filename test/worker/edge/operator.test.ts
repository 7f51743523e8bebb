// Who is the operator, by the Authorization header and the configuration.

import { describe, expect, test } from "vitest";

import { isOperator } from "../../../src/http/auth/operator.ts";

const TOKEN = "s3cret-Token_of.the~operator+/=";
const ON = { ADMIN_TOKEN: TOKEN };

describe("with a token configured", () => {
  test.for([
    ["as it is", `Bearer ${TOKEN}`],
    ["behind a scheme in lower case", `bearer ${TOKEN}`],
    ["behind a scheme in upper case", `BEARER ${TOKEN}`],
    ["behind a scheme in mixed case", `bEaReR ${TOKEN}`],
    ["behind more than one space", `Bearer    ${TOKEN}`],
    ["before spaces", `Bearer ${TOKEN}   `],
  ] as const)("its bearer is the operator: the token %s", async ([, authorization]) => {
    expect(await isOperator(authorization, ON)).toBe(true);
  });

  test.for([
    ["no header", null],
    ["an empty header", ""],
    ["the scheme alone", "Bearer"],
    ["the scheme and a space", "Bearer "],
    ["the token without a scheme", TOKEN],
    ["the token behind another scheme", `Basic ${TOKEN}`],
    ["the token glued to the scheme", `Bearer${TOKEN}`],
    ["the token behind a tab", `Bearer\t${TOKEN}`],
    ["the token behind two schemes", `Bearer Bearer ${TOKEN}`],
    ["something before the scheme", `x Bearer ${TOKEN}`],
    ["something after the token", `Bearer ${TOKEN} x`],
    ["the token twice", `Bearer ${TOKEN}, Bearer ${TOKEN}`],
    ["the token in quotes", `Bearer "${TOKEN}"`],
    ["another token of the same length", `Bearer ${TOKEN.replace("s", "z")}`],
    ["the token in another case", `Bearer ${TOKEN.toUpperCase()}`],
    ["the token but for its last character", `Bearer ${TOKEN.slice(0, -1)}`],
    ["the first character of the token", `Bearer ${TOKEN[0]}`],
    ["the token but for its first character", `Bearer ${TOKEN.slice(1)}`],
    ["the token and one character more", `Bearer ${TOKEN}=`],
    ["the token and a NUL", `Bearer ${TOKEN}\0`],
    ["the token percent-encoded", `Bearer ${encodeURIComponent(TOKEN)}`],
    ["a wildcard", "Bearer *"],
  ] as const)("another header is not the operator's: %s", async ([, authorization]) => {
    expect(await isOperator(authorization, ON)).toBe(false);
  });
});

describe("while the token is being changed", () => {
  const CHANGING = { ADMIN_TOKEN: "the-new-one", ADMIN_TOKEN_PREVIOUS: "the-old-one" };

  test.for([
    ["the new one", CHANGING, true],
    ["the old one", CHANGING, true],
    ["the-new-onethe-old-one", CHANGING, false],
    ["the old one", { ...CHANGING, ADMIN_TOKEN_PREVIOUS: "" }, false],
    ["the old one", { ADMIN_TOKEN: "the-new-one" }, false],
  ] as const)("the bearer of %s is judged by both tokens of %o: %s", async ([token, env, isTaken]) => {
    expect(await isOperator(`Bearer ${token.replaceAll(" ", "-")}`, env)).toBe(isTaken);
  });
});

describe("without a token configured no one is the operator", () => {
  const CLOSED = [
    ["unset", {}],
    ["empty", { ADMIN_TOKEN: "" }],
    ["unset and the check said to be on", { ADMIN_AUTH: "on" }],
    ["empty, as is the previous one", { ADMIN_TOKEN: "", ADMIN_TOKEN_PREVIOUS: "" }],
    ["empty and the check said to be on", { ADMIN_TOKEN: "", ADMIN_AUTH: "on" }],
  ] as const;
  const GUESSES = [null, "", "Bearer", "Bearer ", 'Bearer ""', "Bearer undefined", "Bearer null", "Bearer off", `Bearer ${TOKEN}`];

  test.for(CLOSED)("it is %s", async ([, env]) => {
    expect(await Promise.all(GUESSES.map((guess) => isOperator(guess, env)))).toEqual(GUESSES.map(() => false));
  });
});

describe("the switch ADMIN_AUTH", () => {
  test.for([null, "", "Bearer wrong", "Basic b3BlcmF0b3I="])("makes every caller the operator when off: %s", async (authorization) => {
    expect(await isOperator(authorization, { ADMIN_AUTH: "off" })).toBe(true);
    expect(await isOperator(authorization, { ADMIN_AUTH: "off", ADMIN_TOKEN: TOKEN })).toBe(true);
  });

  test.for(["on", "", "OFF", "Off", " off", "off ", "0", "false", "no", "disabled"])("is on when it says '%s'", async (ADMIN_AUTH) => {
    expect(await isOperator(null, { ADMIN_AUTH, ADMIN_TOKEN: TOKEN })).toBe(false);
    expect(await isOperator("Bearer wrong", { ADMIN_AUTH, ADMIN_TOKEN: TOKEN })).toBe(false);
    expect(await isOperator(`Bearer ${TOKEN}`, { ADMIN_AUTH, ADMIN_TOKEN: TOKEN })).toBe(true);
  });
});

describe("tokens of every kind", () => {
  test.for([
    ["of one character", "x"],
    ["that is the scheme's name", "Bearer"],
    ["of Cyrillic letters", "пароль"],
    ["with an emoji", "🔑-🎉"],
    ["with signs that mean something to a pattern", "^.*$[a-z]+\\(x|y)?"],
    ["of 64 Ki characters", "k".repeat(65_536)],
  ] as const)("open to their bearer alone: one %s", async ([, token]) => {
    const env = { ADMIN_TOKEN: token };
    expect(await isOperator(`Bearer ${token}`, env)).toBe(true);
    expect(await isOperator(`Bearer ${token}x`, env)).toBe(false);
    expect(await isOperator(`Bearer ${token.slice(0, -1)}`, env)).toBe(false);
  });

  test("that look alike but are other code points are other tokens", async () => {
    const composed = "caf\u00e9";
    expect(await isOperator(`Bearer ${composed.normalize("NFD")}`, { ADMIN_TOKEN: composed })).toBe(false);
    expect(await isOperator("Bearer tоken", { ADMIN_TOKEN: "token" })).toBe(false);
  });

  test.for(["two words", "\t", " \n"])("with white space for a part of them open to no caller: %j", async (token) => {
    expect(await isOperator(`Bearer ${token}`, { ADMIN_TOKEN: token })).toBe(false);
    expect(await isOperator(`Bearer ${token.trim()}`, { ADMIN_TOKEN: token })).toBe(false);
  });

  test.for([" leading", "trailing ", "line\n"])("are taken without the white space around them: %j", async (token) => {
    expect(await isOperator(`Bearer ${token.trim()}`, { ADMIN_TOKEN: token })).toBe(true);
    expect(await isOperator(`Bearer ${token.trim()}`, { ADMIN_TOKEN: `${token}x` })).toBe(false);
  });

  test("of a million spaces are refused like any other", async () => {
    const spaces = " ".repeat(1_000_000);
    expect(await isOperator(`Bearer${spaces}`, ON)).toBe(false);
    expect(await isOperator(`Bearer x${spaces}x`, ON)).toBe(false);
  });
});
