// Which routes ask for a user's token, and where in the order of refusals.

import { sign } from "hono/jwt";
import { describe, expect, test } from "vitest";

import { claim, created, freshName, hold, outcomeOf } from "../../support/api.ts";
import { fetchWith, SPENT, workerWith, type Sent } from "../../support/worker.ts";

const SECRET = "a-secret-that-the-shop-and-the-Worker-share";
const OPERATOR = "operator-token";
const ask = workerWith({ IDENTITY_SECRET: SECRET });

async function tokenOf(sub: string): Promise<string> {
  return `Bearer ${await sign({ sub }, SECRET)}`;
}

/** The requests on behalf of ada, in an order in which each can succeed. */
function onBehalfOfAda(name: string): readonly [method: string, path: string, body: unknown, success: string][] {
  return [
    ["POST", `/api/coupons/${name}/holds`, { user_id: "ada", ttl_seconds: 60 }, "201"],
    ["GET", `/api/coupons/${name}/claims/ada`, undefined, "200"],
    ["DELETE", `/api/coupons/${name}/holds/ada`, undefined, "204"],
    ["POST", "/api/coupons/claim", { user_id: "ada", coupon_name: name }, "201"],
    ["GET", `/api/coupons/${name}/claims/ada`, undefined, "200"],
  ];
}

test.for([
  ["no token", () => Promise.resolve(undefined), "401 unauthorized"],
  ["garbage", () => Promise.resolve("Bearer garbage"), "401 unauthorized"],
  ["another user's token", () => tokenOf("bob"), "403 forbidden"],
  ["a token like the operator's", () => Promise.resolve(`Bearer ${OPERATOR}x`), "401 unauthorized"],
] as const)("a user's requests with %s are refused before the object", async ([, token, outcome]) => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR });
  const name = await created(3);
  const authorization = await token();
  for (const [method, path, body] of onBehalfOfAda(name)) {
    const answer = await worker(method, path, { body, authorization });
    expect({ method, path, outcome: outcomeOf(answer) }).toEqual({ method, path, outcome });
    expect(answer.headers.get("Coupon-Seq")).toBeNull();
  }
  expect((await ask("GET", `/api/coupons/${name}`)).headers.get("Coupon-Seq")).toBe("1");
});

test("the operator's token allows reads and releases for a user and nothing else", async () => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_TOKEN: OPERATOR });
  const name = await created(3);
  await hold(name, "ada");
  const outcomes: string[] = [];
  for (const [method, path, body] of onBehalfOfAda(name)) {
    outcomes.push(outcomeOf(await worker(method, path, { body, authorization: `Bearer ${OPERATOR}` })));
  }
  expect(outcomes).toEqual(["401 unauthorized", "200", "204", "401 unauthorized", "404 claim_not_found"]);
});

test("a user's requests need the user's token also with ADMIN_AUTH off", async () => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "off" });
  const name = await created(3);
  for (const [method, path, body] of onBehalfOfAda(name)) {
    expect(outcomeOf(await worker(method, path, { body }))).toBe("401 unauthorized");
  }
});

test("a user's requests with the user's token succeed", async () => {
  const name = await created(3);
  const authorization = await tokenOf("ada");
  for (const [method, path, body, success] of onBehalfOfAda(name)) {
    const answer = await ask(method, path, { body, authorization });
    expect({ method, path, outcome: outcomeOf(answer) }).toEqual({ method, path, outcome: success });
  }
});

test.for(["/api/coupons/{name}", "/api/coupons/{name}/status", "/api/coupons/{name}/events", "/health", "/openapi.json"])(
  "GET %s needs no user's token",
  async (path) => {
    const settings = { IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on" };
    const response = await fetchWith(settings, "GET", path.replace("{name}", await created(3)));
    await response.body?.cancel();
    expect(response.status).toBe(200);
  },
);

describe("the operator's routes", () => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR });

  test("the operator's routes need the operator's token alone", async () => {
    const authorization = `Bearer ${OPERATOR}`;
    const name = freshName();
    const requests: [string, string, Sent][] = [
      ["POST", "/api/coupons", { body: { name, amount: 3 } }],
      ["GET", `/api/coupons/${name}`, {}],
      ["PATCH", `/api/coupons/${name}`, { body: { paused: false } }],
      ["GET", `/api/coupons/${name}/claims`, {}],
      ["DELETE", `/api/coupons/${name}/claims/ada`, {}],
      ["DELETE", `/api/coupons/${name}`, {}],
    ];
    const outcomes: string[] = [];
    for (const [method, path, sent] of requests) outcomes.push(outcomeOf(await worker(method, path, { ...sent, authorization })));
    expect(outcomes).toEqual(["201", "200", "200", "200", "404 claim_not_found", "204"]);
  });

  test("the operator's routes are closed to a user's token", async () => {
    const name = await created(3);
    await claim(name, "bob");
    const authorization = await tokenOf("ada");
    expect(outcomeOf(await worker("DELETE", `/api/coupons/${name}`, { authorization }))).toBe("401 unauthorized");
    expect(outcomeOf(await worker("GET", `/api/coupons/${name}/claims`, { authorization }))).toBe("401 unauthorized");
    expect((await worker("GET", `/api/coupons/${name}`, { authorization })).body).not.toHaveProperty("claimed_by");
  });
});

const CLAIM = "/api/coupons/claim";
const HOLD = "/api/coupons/missing/holds";
const HOLDING = { user_id: "ada", ttl_seconds: 60 };

test.for<[string, string, Sent, string]>([
  ["a claim without a user", CLAIM, { body: { coupon_name: "x" } }, "400 invalid_request"],
  ["a claim that is too large", CLAIM, { body: "x".repeat(20_000) }, "413 payload_too_large"],
  [
    "a claim with a malformed key",
    CLAIM,
    { body: { user_id: "ada", coupon_name: "x" }, headers: { "Idempotency-Key": "two words" } },
    "400 invalid_request",
  ],
  ["a hold of no time", HOLD, { body: { user_id: "ada", ttl_seconds: 0 } }, "400 invalid_request"],
])("%s is malformed before its token is missing", async ([, path, sent, outcome]) => {
  expect(outcomeOf(await ask("POST", path, sent))).toBe(outcome);
});

test.for([
  ["no token", () => Promise.resolve(undefined), "401 unauthorized"],
  ["another user's token", () => tokenOf("bob"), "403 forbidden"],
  ["the user's token", () => tokenOf("ada"), "429 rate_limited"],
] as const)("beyond the rate limit, a claim and a hold with %s get %s", async ([, token, outcome]) => {
  const worker = workerWith({ IDENTITY_SECRET: SECRET, ...SPENT });
  const authorization = await token();
  const claiming = { user_id: "ada", coupon_name: freshName() };
  expect(outcomeOf(await worker("POST", CLAIM, { authorization, body: claiming }))).toBe(outcome);
  expect(outcomeOf(await worker("POST", HOLD, { authorization, body: HOLDING }))).toBe(outcome);
});

test("a request without the user's token is not counted against the user", async () => {
  const keys: string[] = [];
  const counter: RateLimit = {
    limit({ key }) {
      keys.push(key);
      return Promise.resolve({ success: true });
    },
  };
  const worker = workerWith({ IDENTITY_SECRET: SECRET, CLAIMS_100_PER_10S: counter });
  const body = { user_id: "ada", coupon_name: await created(3) };
  await worker("POST", CLAIM, { body });
  await worker("POST", CLAIM, { body, authorization: await tokenOf("bob") });
  expect(keys).toEqual([]);
  await worker("POST", CLAIM, { body, authorization: await tokenOf("ada") });
  expect(keys).toHaveLength(1);
});

test.for([
  ["POST", CLAIM, { user_id: "ada", coupon_name: "missing" }],
  ["POST", HOLD, HOLDING],
  ["DELETE", `${HOLD}/ada`, undefined],
  ["GET", "/api/coupons/missing/claims/ada", undefined],
] as const)("%s %s checks the token before it finds no coupon", async ([method, path, body]) => {
  expect(outcomeOf(await ask(method, path, { body }))).toBe("401 unauthorized");
  expect(outcomeOf(await ask(method, path, { body, authorization: await tokenOf("bob") }))).toBe("403 forbidden");
  expect(outcomeOf(await ask(method, path, { body, authorization: await tokenOf("ada") }))).toBe("404 coupon_not_found");
});
