// Which Authorization headers are the operator's, by the configuration.

import { expect, test } from "vitest";

import { parseConfig, type Variables } from "../../../src/edge/config.ts";
import * as guards from "../../../src/http/auth/guards.ts";

const TOKEN = "s3cret-Token_of.the~operator+/=";
const ON = { ADMIN_TOKEN: TOKEN };

function isOperator(authorization: string | null, variables: Variables): Promise<boolean> {
  return guards.isOperator({ authorization, cookie: null }, parseConfig(variables).config);
}

test.for([
  ["unchanged", `Bearer ${TOKEN}`],
  ["behind a scheme in lower case", `bearer ${TOKEN}`],
  ["behind a scheme in mixed case", `bEaReR ${TOKEN}`],
  ["behind several spaces", `Bearer    ${TOKEN}`],
  ["before spaces", `Bearer ${TOKEN}   `],
] as const)("the token %s is the operator's", async ([, authorization]) => {
  expect(await isOperator(authorization, ON)).toBe(true);
});

test.for([
  ["no header", null],
  ["an empty header", ""],
  ["the scheme alone", "Bearer"],
  ["the scheme and a space", "Bearer "],
  ["the token without a scheme", TOKEN],
  ["the token behind another scheme", `Basic ${TOKEN}`],
  ["the token without a space before it", `Bearer${TOKEN}`],
  ["the token behind a tab", `Bearer\t${TOKEN}`],
  ["two schemes", `Bearer Bearer ${TOKEN}`],
  ["a word before the scheme", `x Bearer ${TOKEN}`],
  ["a word after the token", `Bearer ${TOKEN} x`],
  ["the token twice", `Bearer ${TOKEN}, Bearer ${TOKEN}`],
  ["the token in quotes", `Bearer "${TOKEN}"`],
  ["another token of the same length", `Bearer ${TOKEN.replace("s", "z")}`],
  ["the token in upper case", `Bearer ${TOKEN.toUpperCase()}`],
  ["the token without its last character", `Bearer ${TOKEN.slice(0, -1)}`],
  ["the token's first character", `Bearer ${TOKEN[0]}`],
  ["the token without its first character", `Bearer ${TOKEN.slice(1)}`],
  ["the token and one character more", `Bearer ${TOKEN}=`],
  ["the token and a NUL", `Bearer ${TOKEN}\0`],
  ["the token percent-encoded", `Bearer ${encodeURIComponent(TOKEN)}`],
  ["a wildcard", "Bearer *"],
  ["a million spaces", `Bearer x${" ".repeat(1_000_000)}x`],
] as const)("a request with %s is not the operator's", async ([, authorization]) => {
  expect(await isOperator(authorization, ON)).toBe(false);
});

test.for([
  ["the-new-one", { ADMIN_TOKEN_PREVIOUS: "the-old-one" }, true],
  ["the-old-one", { ADMIN_TOKEN_PREVIOUS: "the-old-one" }, true],
  ["the-new-onethe-old-one", { ADMIN_TOKEN_PREVIOUS: "the-old-one" }, false],
  ["the-old-one", { ADMIN_TOKEN_PREVIOUS: "" }, false],
  ["the-old-one", {}, false],
] as const)("beside ADMIN_TOKEN the-new-one, the token %s with %o is the operator's: %s", async ([token, env, isOperators]) => {
  expect(await isOperator(`Bearer ${token}`, { ADMIN_TOKEN: "the-new-one", ...env })).toBe(isOperators);
});

test.for([
  {},
  { ADMIN_TOKEN: "" },
  { ADMIN_AUTH: "on" },
  { ADMIN_TOKEN: "", ADMIN_TOKEN_PREVIOUS: "" },
  { ADMIN_TOKEN: "", ADMIN_AUTH: "on" },
] as const)("no header is the operator's with %o", async (env) => {
  const guesses = [null, "", "Bearer", "Bearer ", 'Bearer ""', "Bearer undefined", "Bearer null", "Bearer off", `Bearer ${TOKEN}`];
  expect(await Promise.all(guesses.map((guess) => isOperator(guess, env)))).toEqual(guesses.map(() => false));
});

test.for([null, "", "Bearer wrong", "Basic b3BlcmF0b3I="])("with ADMIN_AUTH off the header %j is the operator's", async (authorization) => {
  expect(await isOperator(authorization, { ADMIN_AUTH: "off" })).toBe(true);
  expect(await isOperator(authorization, { ADMIN_AUTH: "off", ADMIN_TOKEN: TOKEN })).toBe(true);
});

test.for(["on", "", "OFF", "Off", "0", "false", "no", "disabled"])(
  "with ADMIN_AUTH %j the token alone is the operator's",
  async (ADMIN_AUTH) => {
    expect(await isOperator(null, { ADMIN_AUTH, ADMIN_TOKEN: TOKEN })).toBe(false);
    expect(await isOperator("Bearer wrong", { ADMIN_AUTH, ADMIN_TOKEN: TOKEN })).toBe(false);
    expect(await isOperator(`Bearer ${TOKEN}`, { ADMIN_AUTH, ADMIN_TOKEN: TOKEN })).toBe(true);
  },
);

test.for([
  ["one character", "x"],
  ["the scheme's name", "Bearer"],
  ["Cyrillic letters", "пароль"],
  ["an emoji", "🔑-🎉"],
  ["a pattern", "^.*$[a-z]+\\(x|y)?"],
  ["64 Ki characters", "k".repeat(65_536)],
] as const)("a token of %s is matched exactly", async ([, token]) => {
  const env = { ADMIN_TOKEN: token };
  expect(await isOperator(`Bearer ${token}`, env)).toBe(true);
  expect(await isOperator(`Bearer ${token}x`, env)).toBe(false);
  expect(await isOperator(`Bearer ${token.slice(0, -1)}`, env)).toBe(false);
});

test("tokens that look the same but have other code points differ", async () => {
  const composed = "caf\u00e9";
  expect(await isOperator(`Bearer ${composed.normalize("NFD")}`, { ADMIN_TOKEN: composed })).toBe(false);
  expect(await isOperator("Bearer tоken", { ADMIN_TOKEN: "token" })).toBe(false);
});

test.for(["two words", "\t", " \n"])("a configured token with white space inside, %j, matches no header", async (token) => {
  expect(await isOperator(`Bearer ${token}`, { ADMIN_TOKEN: token })).toBe(false);
  expect(await isOperator(`Bearer ${token.trim()}`, { ADMIN_TOKEN: token })).toBe(false);
});

test.for([" leading", "trailing ", "line\n"])("a configured token %j is trimmed", async (token) => {
  expect(await isOperator(`Bearer ${token.trim()}`, { ADMIN_TOKEN: token })).toBe(true);
  expect(await isOperator(`Bearer ${token.trim()}`, { ADMIN_TOKEN: `${token}x` })).toBe(false);
});
