// A user's token: with a secret configured, a JWT (HS256) whose `sub` is the user.

import { sign } from "hono/jwt";
import { describe, expect, test } from "vitest";

import { created, outcomeOf, read } from "../../support/api.ts";
import { workerWith, type Ask } from "../../support/worker.ts";
import { base64Url } from "./issuer.ts";

const SECRET = "a-secret-that-the-shop-and-the-Worker-share";
const AUDIENCE = "https://sale.example";
const NOW = Math.floor(Date.now() / 1000);
const ask = workerWith({ IDENTITY_SECRET: SECRET });

type Payload = Record<string, unknown>;

async function bearer(payload: Payload, secret = SECRET, alg: "HS256" | "HS384" | "HS512" = "HS256"): Promise<string> {
  return `Bearer ${await sign(payload, secret, alg)}`;
}

function claimWith(worker: Ask, name: string, userId: string, authorization?: string) {
  return worker("POST", "/api/coupons/claim", { body: { user_id: userId, coupon_name: name }, authorization });
}

async function expectUnclaimed(name: string): Promise<void> {
  const { body, headers } = await read(name);
  expect(body).toMatchObject({ remaining_amount: 3, claimed_by: [] });
  expect(headers.get("Coupon-Seq")).toBe("1");
}

test.for([
  ["no identity setting", {}],
  ["an empty secret", { IDENTITY_SECRET: "" }],
  ["an empty address of keys", { IDENTITY_JWKS_URL: "" }],
  ["an audience alone", { IDENTITY_AUDIENCE: AUDIENCE }],
] as const)("with %s, user_id is trusted and tokens are ignored", async ([, settings]) => {
  const worker = workerWith(settings);
  const name = await created(3);
  const tokens = [undefined, "Bearer garbage", await bearer({ sub: "another user" })];
  const answers = await Promise.all(tokens.map((token, index) => claimWith(worker, name, `user-${index}`, token)));
  expect(answers.map(outcomeOf)).toEqual(["201", "201", "201"]);
});

test.for(["ada", "用户 🎉", "a/b%20c", "x".repeat(255)])("a claim with the token of its user %s is granted", async (user) => {
  const name = await created(3);
  const { status, body, headers } = await claimWith(ask, name, user, await bearer({ sub: user }));
  expect(status).toBe(201);
  expect(body).toMatchObject({ user_id: user, coupon_name: name, position: 1, remaining_amount: 2 });
  expect(headers.get("WWW-Authenticate")).toBeNull();
});

test.for(["bob", "Ada", "ada ", "ad", "", "*", "a\u0064\u0061\u0300"])("ada's claim with the token of %j is forbidden", async (sub) => {
  const name = await created(3);
  const answer = await claimWith(ask, name, "ada", await bearer({ sub }));
  expect(outcomeOf(answer)).toBe("403 forbidden");
  expect([answer.headers.get("WWW-Authenticate"), answer.headers.get("Coupon-Seq")]).toEqual([null, null]);
  await expectUnclaimed(name);
});

test("a composed user and a decomposed one in the token differ", async () => {
  const name = await created(3);
  expect(outcomeOf(await claimWith(ask, name, "caf\u00e9", await bearer({ sub: "cafe\u0301" })))).toBe("403 forbidden");
});

/** A token that is assembled by hand. */
function assembled(header: unknown, payload: unknown, signature = ""): string {
  return `Bearer ${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(payload))}.${signature}`;
}

test.for<[string, () => string | undefined | Promise<string>]>([
  ["no header", () => undefined],
  ["an empty header", () => ""],
  ["the scheme alone", () => "Bearer "],
  ["garbage", () => "Bearer garbage"],
  ["three parts of garbage", () => "Bearer a.b.c"],
  ["parts that are JSON but no objects", () => assembled(1, null)],
  ["a token of four parts", async () => `${await bearer({ sub: "ada" })}.x`],
  ["a token without its signature", async () => (await bearer({ sub: "ada" })).replace(/[^.]*$/, "")],
  [
    "the signature of another token",
    async () => (await bearer({ sub: "ada" })).replace(/[^.]*$/, /[^.]*$/.exec(await bearer({ sub: "bob" }))?.[0] ?? ""),
  ],
  ["a token in another scheme", async () => (await bearer({ sub: "ada" })).replace("Bearer", "Token")],
  ["a token without a scheme", async () => (await bearer({ sub: "ada" })).replace("Bearer ", "")],
  ["the secret itself", () => `Bearer ${SECRET}`],
  ["a million letters", () => `Bearer ${"x".repeat(1_000_000)}`],
  ["a token of another secret", () => bearer({ sub: "ada" }, `${SECRET}x`)],
  ["a token without an algorithm", () => assembled({ typ: "JWT" }, { sub: "ada" })],
  ["the algorithm none", () => assembled({ alg: "none", typ: "JWT" }, { sub: "ada" })],
  ["HS384", () => bearer({ sub: "ada" }, SECRET, "HS384")],
  ["HS512", () => bearer({ sub: "ada" }, SECRET, "HS512")],
  ["an expired token", () => bearer({ sub: "ada", exp: NOW - 1 })],
  ["an expiry that is no number", () => bearer({ sub: "ada", exp: String(NOW + 3600) })],
  ["a token that is not valid yet", () => bearer({ sub: "ada", nbf: NOW + 3600 })],
  ["a token without a subject", () => bearer({ user_id: "ada" })],
  ["a subject that is null", () => bearer({ sub: null })],
  ["a subject that is a list", () => bearer({ sub: ["ada"] })],
])("a claim with %s gets 401 and is not made", async ([, authorization]) => {
  const name = await created(3);
  const answer = await claimWith(ask, name, "ada", await authorization());
  expect(answer.body).toEqual({
    error: "user token required: send the header Authorization: Bearer <token>",
    code: "unauthorized",
    request_id: answer.headers.get("X-Request-Id"),
  });
  expect(answer.status).toBe(401);
  expect([answer.headers.get("WWW-Authenticate"), answer.headers.get("Coupon-Seq")]).toEqual(['Bearer realm="doorbuster"', null]);
  await expectUnclaimed(name);
});

test.for<[string, () => string | Promise<string>]>([
  ["behind a scheme in lower case", async () => (await bearer({ sub: "ada" })).replace("Bearer", "bearer")],
  ["between its beginning and its expiry", () => bearer({ sub: "ada", nbf: NOW - 60, exp: NOW + 3600 })],
  ["issued by a clock a minute ahead", () => bearer({ sub: "ada", iat: NOW + 60 })],
  ["for any audience where none is configured", () => bearer({ sub: "ada", aud: "https://elsewhere.example" })],
  ["with unknown claims", () => bearer({ sub: "ada", role: "operator", user_id: "bob" })],
])("a token %s is accepted", async ([, authorization]) => {
  expect(outcomeOf(await claimWith(ask, await created(3), "ada", await authorization()))).toBe("201");
});

describe("with an audience configured", () => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, IDENTITY_AUDIENCE: AUDIENCE });

  test.for<[unknown, string]>([
    [AUDIENCE, "201"],
    [["https://elsewhere.example", AUDIENCE], "201"],
    [undefined, "401 unauthorized"],
    ["https://elsewhere.example", "401 unauthorized"],
    [AUDIENCE.slice(0, -1), "401 unauthorized"],
    [`${AUDIENCE}/`, "401 unauthorized"],
    [[], "401 unauthorized"],
    [["https://elsewhere.example", ""], "401 unauthorized"],
    [1, "401 unauthorized"],
  ])("a token for the audience %j gets %s", async ([aud, outcome]) => {
    expect(outcomeOf(await claimWith(worker, await created(3), "ada", await bearer({ sub: "ada", aud })))).toBe(outcome);
  });
});
