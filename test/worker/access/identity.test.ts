// A user's token: with a secret configured, a JWT (HS256) whose `sub` is the user.

import { sign } from "hono/jwt";
import { expect, test } from "vitest";

import { JWT_LEEWAY_SECONDS } from "../../../src/domain/limits.ts";
import { TOKEN_INVALID, type TokenFault } from "../../../src/http/refusals.ts";
import { created, outcomeOf, read, type Answer } from "../../support/api.ts";
import { workerWith, type Ask } from "../../support/worker.ts";
import { base64Url, hmacToken } from "./issuer.ts";

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

function expectUnauthorized({ status, body, headers }: Answer, error: string, challenge: string): void {
  expect([status, body]).toEqual([401, { error, code: "unauthorized", request_id: headers.get("X-Request-Id") }]);
  expect([headers.get("WWW-Authenticate"), headers.get("Coupon-Seq")]).toEqual([challenge, null]);
}

test.for<[string, () => string | undefined | Promise<string>]>([
  ["no header", () => undefined],
  ["an empty header", () => ""],
  ["the scheme alone", () => "Bearer "],
  ["a token in another scheme", async () => (await bearer({ sub: "ada" })).replace("Bearer", "Token")],
  ["a token without a scheme", async () => (await bearer({ sub: "ada" })).replace("Bearer ", "")],
])("a claim with %s gets 401 and a challenge without an error", async ([, authorization]) => {
  const name = await created(3);
  const answer = await claimWith(ask, name, "ada", await authorization());
  expectUnauthorized(answer, "user token required: send the header Authorization: Bearer <token>", 'Bearer realm="doorbuster"');
  await expectUnclaimed(name);
});

test.for<[string, TokenFault, () => string | Promise<string>]>([
  ["garbage", "malformed", () => "Bearer garbage"],
  ["three parts of garbage", "malformed", () => "Bearer a.b.c"],
  ["parts that are JSON but no objects", "malformed", () => assembled(1, null)],
  ["a token of four parts", "malformed", async () => `${await bearer({ sub: "ada" })}.x`],
  ["the secret itself", "malformed", () => `Bearer ${SECRET}`],
  ["a million letters", "malformed", () => `Bearer ${"x".repeat(1_000_000)}`],
  ["a token without an algorithm", "malformed", () => assembled({ typ: "JWT" }, { sub: "ada" })],
  ["a proof of possession", "malformed", () => hmacToken({ alg: "HS256", typ: "dpop+jwt" }, SECRET)],
  ["a header that must be understood", "malformed", () => hmacToken({ alg: "HS256", crit: ["b64"], b64: true }, SECRET)],
  ["a token without its signature", "signature", async () => (await bearer({ sub: "ada" })).replace(/[^.]*$/, "")],
  [
    "the signature of another token",
    "signature",
    async () => (await bearer({ sub: "ada" })).replace(/[^.]*$/, /[^.]*$/.exec(await bearer({ sub: "bob" }))?.[0] ?? ""),
  ],
  ["a token of another secret", "signature", () => bearer({ sub: "ada" }, `${SECRET}x`)],
  ["the algorithm none", "algorithm", () => assembled({ alg: "none", typ: "JWT" }, { sub: "ada" })],
  ["the name of a method as its algorithm", "algorithm", () => assembled({ alg: "toString" }, { sub: "ada" })],
  ["HS384", "algorithm", () => bearer({ sub: "ada" }, SECRET, "HS384")],
  ["HS512", "algorithm", () => bearer({ sub: "ada" }, SECRET, "HS512")],
  ["an expired token", "expired", () => bearer({ sub: "ada", exp: NOW - JWT_LEEWAY_SECONDS })],
  ["a token without a subject", "noSubject", () => bearer({ user_id: "ada" })],
])("a claim with %s gets 401, which says that it is %s", async ([, fault, authorization]) => {
  const name = await created(3);
  const error = TOKEN_INVALID[fault];
  const challenge = `Bearer realm="doorbuster", error="invalid_token", error_description="${error}"`;
  expectUnauthorized(await claimWith(ask, name, "ada", await authorization()), error, challenge);
  await expectUnclaimed(name);
});

test.for<[string, () => string | Promise<string>]>([
  ["behind a scheme in lower case", async () => (await bearer({ sub: "ada" })).replace("Bearer", "bearer")],
  ["that expired within the leeway", () => bearer({ sub: "ada", exp: NOW - JWT_LEEWAY_SECONDS / 2 })],
  ["of the type at+jwt", () => hmacToken({ alg: "HS256", typ: "at+jwt" }, SECRET)],
  ["of the type application/AT+JWT", () => hmacToken({ alg: "HS256", typ: "application/AT+JWT" }, SECRET)],
  ["with a key id", () => hmacToken({ alg: "HS256", kid: "any" }, SECRET)],
])("a token %s is accepted", async ([, authorization]) => {
  expect(outcomeOf(await claimWith(ask, await created(3), "ada", await authorization()))).toBe("201");
});

test.for(["PRIVATE-and-PUBLIC", "-----BEGIN PRIVATE KEY-----MIIB", "geheim-\u00fc-\u{1f511}"])(
  "the secret %s verifies tokens",
  async (secret) => {
    const worker = workerWith({ IDENTITY_SECRET: secret });
    expect(outcomeOf(await claimWith(worker, await created(3), "ada", await hmacToken({ alg: "HS256" }, secret)))).toBe("201");
  },
);

test("a token of another issuer or for another audience is refused where they are configured", async () => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, IDENTITY_AUDIENCE: AUDIENCE, IDENTITY_ISSUER: "shop" });
  const name = await created(3);
  const errors = [{ iss: "shop", aud: AUDIENCE }, { aud: AUDIENCE }, { iss: "shop" }].map(
    async (claims) => (await claimWith(worker, name, "ada", await bearer({ sub: "ada", ...claims }))).body["error"],
  );
  expect(await Promise.all(errors)).toEqual([undefined, TOKEN_INVALID.issuer, TOKEN_INVALID.audience]);
});

test("a user's token gets 401 where the operator's or the service's is needed, which says so", async () => {
  const authorization = await bearer({ sub: "ada" });
  const operator = await workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "a" })("DELETE", "/api/coupons/any", { authorization });
  const service = await claimWith(workerWith({ IDENTITY: "on", SERVICE_TOKEN: "s" }), "any", "ada", authorization);
  for (const [answer, error] of [
    [operator, TOKEN_INVALID.notOperator],
    [service, TOKEN_INVALID.notService],
  ] as const) {
    expectUnauthorized(answer, error, `Bearer realm="doorbuster", error="invalid_token", error_description="${error}"`);
  }
});
