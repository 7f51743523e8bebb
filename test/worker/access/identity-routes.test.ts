// Which routes ask who is calling, and when in the order of refusals.

import { sign } from "hono/jwt";
import { describe, expect, test } from "vitest";

import { claim, created, freshName, outcomeOf, send } from "../../support/api.ts";
import { fetchWith, SPENT, workerWith, type Sent } from "../../support/worker.ts";

const SECRET = "a-secret-that-the-shop-and-the-Worker-share";
const OPERATOR = "operator-token";
const ask = workerWith({ IDENTITY_SECRET: SECRET });

async function tokenOf(sub: string): Promise<string> {
  return `Bearer ${await sign({ sub }, SECRET)}`;
}

/** The requests in the name of ada, in an order in which each can succeed. */
function asAda(name: string): readonly [method: string, path: string, body: unknown, success: string][] {
  const claimBody = { user_id: "ada", coupon_name: name };
  return [
    ["POST", `/api/coupons/${name}/holds`, { user_id: "ada", ttl_seconds: 60 }, "201"],
    ["GET", `/api/coupons/${name}/claims/ada`, undefined, "200"],
    ["DELETE", `/api/coupons/${name}/holds/ada`, undefined, "204"],
    ["POST", "/api/coupons/claim", claimBody, "201"],
    ["GET", `/api/coupons/${name}/claims/ada`, undefined, "200"],
  ];
}

describe("a hold, giving it back, a claim and the look at one's own", () => {
  test.for([
    ["no token", () => Promise.resolve(undefined), "401 unauthorized"],
    ["garbage", () => Promise.resolve("Bearer garbage"), "401 unauthorized"],
    ["another user's token", () => tokenOf("bob"), "403 forbidden"],
    ["another token than the operator's", () => Promise.resolve(`Bearer ${OPERATOR}x`), "401 unauthorized"],
  ] as const)("are refused to %s, and the object is not asked", async ([, token, outcome]) => {
    const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR });
    const name = await created(3);
    const authorization = await token();
    for (const [method, path, body] of asAda(name)) {
      const answer = await worker(method, path, { body, ...(authorization === undefined ? {} : { authorization }) });
      expect({ method, path, outcome: outcomeOf(answer) }).toEqual({ method, path, outcome });
      expect(answer.headers.get("Coupon-Seq")).toBeNull();
    }
    expect((await ask("GET", `/api/coupons/${name}`)).headers.get("Coupon-Seq")).toBe("1");
  });

  test("are not for the operator to ask in a user's name, but to look at and to give back", async () => {
    const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_TOKEN: OPERATOR });
    const name = await created(3);
    await send("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: 60 } });
    const outcomes: string[] = [];
    for (const [method, path, body] of asAda(name)) {
      outcomes.push(outcomeOf(await worker(method, path, { body, authorization: `Bearer ${OPERATOR}` })));
    }
    expect(outcomes).toEqual(["401 unauthorized", "200", "204", "401 unauthorized", "404 claim_not_found"]);
  });

  test("ask for the token of a user also where everybody is the operator", async () => {
    const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "off" });
    const name = await created(3);
    for (const [method, path, body] of asAda(name)) expect(outcomeOf(await worker(method, path, { body }))).toBe("401 unauthorized");
  });

  test("are done for the user of the token", async () => {
    const name = await created(3);
    const authorization = await tokenOf("ada");
    for (const [method, path, body, success] of asAda(name)) {
      const answer = await ask(method, path, { body, authorization });
      expect({ method, path, outcome: outcomeOf(answer) }).toEqual({ method, path, outcome: success });
    }
  });
});

describe("what is nobody's in particular needs no token of a user", () => {
  test.for([
    ["the coupon", ""],
    ["its status", "/status"],
    ["its events", "/events"],
  ] as const)("%s", async ([, rest]) => {
    const name = await created(3);
    const response = await fetchWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on" }, "GET", `/api/coupons/${name}${rest}`);
    await response.body?.cancel();
    expect(response.status).toBe(200);
  });

  test.for(["/health", "/openapi.json"])("%s", async (path) => {
    expect((await ask("GET", path)).status).toBe(200);
  });

  test("the operator's routes", async () => {
    const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR });
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
    expect((await fetchWith({ IDENTITY_SECRET: SECRET }, "GET", `/api/coupons/${await created(1)}/metrics`)).status).toBe(200);
  });

  test("and a user's token is not the operator's", async () => {
    const worker = workerWith({ IDENTITY_SECRET: SECRET, ADMIN_AUTH: "on", ADMIN_TOKEN: OPERATOR });
    const name = await created(3);
    await claim(name, "bob");
    const authorization = await tokenOf("ada");
    expect(outcomeOf(await worker("DELETE", `/api/coupons/${name}`, { authorization }))).toBe("401 unauthorized");
    expect(outcomeOf(await worker("GET", `/api/coupons/${name}/claims`, { authorization }))).toBe("401 unauthorized");
    expect((await worker("GET", `/api/coupons/${name}`, { authorization })).body).not.toHaveProperty("claimed_by");
  });
});

describe("the order of refusals", () => {
  const claimPath = "/api/coupons/claim";
  const holdPath = "/api/coupons/nobody-made-this/holds";

  test.for<[string, string, Sent, string]>([
    ["a claim without a user", claimPath, { body: { coupon_name: "x" } }, "400 invalid_request"],
    ["a claim that is no object", claimPath, { body: 5 }, "400 invalid_request"],
    ["a claim that is too large", claimPath, { body: "x".repeat(20_000) }, "413 payload_too_large"],
    [
      "a claim with a malformed key",
      claimPath,
      { body: { user_id: "ada", coupon_name: "x" }, headers: { "Idempotency-Key": "two words" } },
      "400 invalid_request",
    ],
    ["a hold without a time", holdPath, { body: { user_id: "ada" } }, "400 invalid_request"],
    ["a hold of no time", holdPath, { body: { user_id: "ada", ttl_seconds: 0 } }, "400 invalid_request"],
  ])("malformed comes before the missing token: %s", async ([, path, sent, outcome]) => {
    expect(outcomeOf(await ask("POST", path, sent))).toBe(outcome);
  });

  test.for([
    ["missing", () => Promise.resolve({}), "401 unauthorized"],
    ["another's", async () => ({ authorization: await tokenOf("bob") }), "403 forbidden"],
    ["right", async () => ({ authorization: await tokenOf("ada") }), "429 rate_limited"],
  ] as const)("the token comes before the rate limit, and that before the coupon: %s", async ([, headers, outcome]) => {
    const worker = workerWith({ IDENTITY_SECRET: SECRET, ...SPENT });
    const sent = await headers();
    const claiming = { ...sent, body: { user_id: "ada", coupon_name: freshName() } };
    const holding = { ...sent, body: { user_id: "ada", ttl_seconds: 60 } };
    expect(outcomeOf(await worker("POST", claimPath, claiming))).toBe(outcome);
    expect(outcomeOf(await worker("POST", holdPath, holding))).toBe(outcome);
  });

  test("a stranger's request is not counted against the user", async () => {
    const keys: string[] = [];
    const counter: RateLimit = {
      limit({ key }) {
        keys.push(key);
        return Promise.resolve({ success: true });
      },
    };
    const worker = workerWith({ IDENTITY_SECRET: SECRET, CLAIMS_100_PER_10S: counter });
    const name = await created(3);
    const body = { user_id: "ada", coupon_name: name };
    await worker("POST", claimPath, { body });
    await worker("POST", claimPath, { body, authorization: await tokenOf("bob") });
    expect(keys).toEqual([]);
    await worker("POST", claimPath, { body, authorization: await tokenOf("ada") });
    expect(keys).toHaveLength(1);
  });

  test.for([
    ["a claim", "POST", claimPath, { user_id: "ada", coupon_name: "nobody-made-this" }],
    ["a hold", "POST", holdPath, { user_id: "ada", ttl_seconds: 60 }],
    ["giving back", "DELETE", `${holdPath}/ada`, undefined],
    ["one's own", "GET", "/api/coupons/nobody-made-this/claims/ada", undefined],
  ] as const)("the missing token comes before the missing coupon: %s", async ([, method, path, body]) => {
    expect(outcomeOf(await ask(method, path, { body }))).toBe("401 unauthorized");
    expect(outcomeOf(await ask(method, path, { body, authorization: await tokenOf("bob") }))).toBe("403 forbidden");
    expect(outcomeOf(await ask(method, path, { body, authorization: await tokenOf("ada") }))).toBe("404 coupon_not_found");
  });
});
