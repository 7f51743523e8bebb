// Who may act for a user: with a secret configured, the bearer of a JWT (HS256) whose `sub` is that user.

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
  return worker("POST", "/api/coupons/claim", {
    body: { user_id: userId, coupon_name: name },
    ...(authorization ? { authorization } : {}),
  });
}

async function expectUnclaimed(name: string): Promise<void> {
  const { body, headers } = await read(name);
  expect(body).toMatchObject({ remaining_amount: 3, claimed_by: [] });
  expect(headers.get("Coupon-Seq")).toBe("1");
}

describe("without a secret or keys, `user_id` is trusted", () => {
  test.for([
    ["no identity setting", {}],
    ["an empty secret", { IDENTITY_SECRET: "" }],
    ["an empty address of keys", { IDENTITY_JWKS_URL: "" }],
    ["an audience alone", { IDENTITY_AUDIENCE: AUDIENCE }],
  ] as const)("and no token is looked at: %s", async ([, settings]) => {
    const worker = workerWith(settings);
    const name = await created(3);
    const tokens = [undefined, "Bearer garbage", await bearer({ sub: "somebody else" })];
    const answers = await Promise.all(tokens.map((token, index) => claimWith(worker, name, `user-${index}`, token)));
    expect(answers.map(outcomeOf)).toEqual(["201", "201", "201"]);
  });
});

describe("with a secret, a claim", () => {
  test.for(["ada", "用户 🎉", "a/b%20c", "x".repeat(255)])("is granted to the user whom the token names: %s", async (user) => {
    const name = await created(3);
    const { status, body, headers } = await claimWith(ask, name, user, await bearer({ sub: user }));
    expect(status).toBe(201);
    expect(body).toMatchObject({ user_id: user, coupon_name: name, position: 1, remaining_amount: 2 });
    expect(headers.get("WWW-Authenticate")).toBeNull();
  });

  test("without a token is told which header to send", async () => {
    const name = await created(3);
    const { status, body, headers } = await claimWith(ask, name, "ada");
    expect({ status, body }).toEqual({
      status: 401,
      body: {
        error: "user token required: send the header Authorization: Bearer <token>",
        code: "unauthorized",
        request_id: headers.get("X-Request-Id"),
      },
    });
    expect(headers.get("WWW-Authenticate")).toBe('Bearer realm="doorbuster"');
    expect(headers.get("Coupon-Seq")).toBeNull();
    await expectUnclaimed(name);
  });

  test.for(["bob", "Ada", "ada ", "ad", "", "*"])("with the token of %j is forbidden to ada", async (sub) => {
    const name = await created(3);
    const { status, body, headers } = await claimWith(ask, name, "ada", await bearer({ sub }));
    expect({ status, code: body["code"], error: body["error"] }).toEqual({
      status: 403,
      code: "forbidden",
      error: "the token belongs to another user",
    });
    expect(headers.get("WWW-Authenticate")).toBeNull();
    expect(headers.get("Coupon-Seq")).toBeNull();
    await expectUnclaimed(name);
  });

  test("by a user whose name looks the same but is other code points is forbidden", async () => {
    const name = await created(3);
    expect(outcomeOf(await claimWith(ask, name, "caf\u00e9", await bearer({ sub: "cafe\u0301" })))).toBe("403 forbidden");
    await expectUnclaimed(name);
  });
});

/** A token as it is assembled by hand. */
function assembled(header: unknown, payload: unknown, signature = ""): string {
  return `Bearer ${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(payload))}.${signature}`;
}

describe("with a secret, what is no valid token of it is unauthorized", () => {
  test.for<[string, () => string | Promise<string>]>([
    ["an empty header", () => ""],
    ["the scheme alone", () => "Bearer "],
    ["garbage", () => "Bearer garbage"],
    ["dots", () => "Bearer .."],
    ["three parts of garbage", () => "Bearer a.b.c"],
    ["parts that are JSON but no objects", () => assembled(1, null)],
    ["a token of four parts", async () => `${await bearer({ sub: "ada" })}.x`],
    ["a token without its signature", async () => (await bearer({ sub: "ada" })).replace(/[^.]*$/, "")],
    [
      "a token with another's signature",
      async () => (await bearer({ sub: "ada" })).replace(/[^.]*$/, /[^.]*$/.exec(await bearer({ sub: "bob" }))?.[0] ?? ""),
    ],
    ["a token in another scheme", async () => (await bearer({ sub: "ada" })).replace("Bearer", "Token")],
    ["a token without a scheme", async () => (await bearer({ sub: "ada" })).replace("Bearer ", "")],
    ["the secret itself", () => `Bearer ${SECRET}`],
    ["a million letters", () => `Bearer ${"x".repeat(1_000_000)}`],
    ["another secret", () => bearer({ sub: "ada" }, `${SECRET}x`)],
    ["an empty algorithm", () => assembled({ typ: "JWT" }, { sub: "ada" })],
    ["the algorithm none", () => assembled({ alg: "none", typ: "JWT" }, { sub: "ada" })],
    ["the algorithm None", () => assembled({ alg: "None", typ: "JWT" }, { sub: "ada" })],
    ["HS384", () => bearer({ sub: "ada" }, SECRET, "HS384")],
    ["HS512", () => bearer({ sub: "ada" }, SECRET, "HS512")],
    ["an expired token", () => bearer({ sub: "ada", exp: NOW - 1 })],
    ["an expiry that is no number", () => bearer({ sub: "ada", exp: String(NOW + 3600) })],
    ["a token that is not valid yet", () => bearer({ sub: "ada", nbf: NOW + 3600 })],
    ["no subject", () => bearer({ user_id: "ada" })],
    ["a subject of null", () => bearer({ sub: null })],
    ["a subject that is a number", () => bearer({ sub: 1 })],
    ["a subject that is a list", () => bearer({ sub: ["ada"] })],
  ])("%s", async ([, authorization]) => {
    const name = await created(3);
    const answer = await claimWith(ask, name, "ada", await authorization());
    expect(outcomeOf(answer)).toBe("401 unauthorized");
    expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="doorbuster"');
    expect(JSON.stringify(answer.body)).not.toMatch(/Jwt|hono|stack|at \w+ \(/);
    await expectUnclaimed(name);
  });
});

describe("with a secret, a token is good", () => {
  test.for<[string, () => string | Promise<string>]>([
    ["behind a scheme in lower case", async () => (await bearer({ sub: "ada" })).replace("Bearer", "bearer")],
    ["behind a scheme in upper case", async () => (await bearer({ sub: "ada" })).replace("Bearer", "BEARER")],
    ["before its expiry and after its beginning", () => bearer({ sub: "ada", nbf: NOW - 60, exp: NOW + 3600 })],
    ["though the issuer's clock is a minute ahead", () => bearer({ sub: "ada", iat: NOW + 60 })],
    ["for any audience where none is configured", () => bearer({ sub: "ada", aud: "https://elsewhere.example" })],
    ["with claims that mean nothing here", () => bearer({ sub: "ada", role: "operator", user_id: "bob" })],
  ])("%s", async ([, authorization]) => {
    expect(outcomeOf(await claimWith(ask, await created(3), "ada", await authorization()))).toBe("201");
  });
});

describe("with an audience configured, a token", () => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, IDENTITY_AUDIENCE: AUDIENCE });

  test.for<[string, Payload, string]>([
    ["for it is good", { aud: AUDIENCE }, "201"],
    ["for it and others is good", { aud: ["https://elsewhere.example", AUDIENCE] }, "201"],
    ["for nobody in particular is refused", {}, "401 unauthorized"],
    ["for another is refused", { aud: "https://elsewhere.example" }, "401 unauthorized"],
    ["for what it begins with is refused", { aud: AUDIENCE.slice(0, -1) }, "401 unauthorized"],
    ["for what begins with it is refused", { aud: `${AUDIENCE}/` }, "401 unauthorized"],
    ["for an empty list is refused", { aud: [] }, "401 unauthorized"],
    ["for a list of others is refused", { aud: ["https://elsewhere.example", ""] }, "401 unauthorized"],
    ["for a number is refused", { aud: 1 }, "401 unauthorized"],
  ])("%s", async ([, audience, outcome]) => {
    expect(outcomeOf(await claimWith(worker, await created(3), "ada", await bearer({ sub: "ada", ...audience })))).toBe(outcome);
  });
});
