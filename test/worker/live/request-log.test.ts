// One line of JSON for each request, without user ids or secrets.

import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from "vitest";

import { CERTIFICATE_MS_MAX } from "../../../src/domain/limits.ts";
import { sipHash, sipKeyOf } from "../../../src/domain/siphash.ts";
import { claim, created, freshName, outcomeOf, pathOf, send, users } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { lost, platform, platformError, sendOver } from "../../support/platform-faults.ts";
import { bindings, fetchWith, SPENT, workerWith, type Settings } from "../../support/worker.ts";

type Line = Record<string, unknown>;

let logged: MockInstance<typeof console.log>;
let failed: MockInstance<typeof console.error>;

beforeEach(() => {
  logged = vi.spyOn(console, "log");
  failed = vi.spyOn(console, "error");
});

afterEach(() => {
  logged.mockRestore();
  failed.mockRestore();
});

/** The lines that were written since the last call, parsed. */
function lines(): Line[] {
  const written = logged.mock.calls.map((args) => args.map(String).join(" "));
  logged.mockClear();
  return written.map((line) => JSON.parse(line) as Line);
}

/** The last line without its time, which is checked. */
function lastLine(): Line {
  const { ms, ...line } = lines().at(-1) ?? {};
  expect(Number.isInteger(ms)).toBe(true);
  expect(ms).toBeGreaterThanOrEqual(0);
  return line;
}

/** A coupon sold out at {@link T0}, of which this isolate has a certificate that has refused one claim. */
async function certified(): Promise<string> {
  setClock(T0);
  const name = await created(1);
  await claim(name, "winner");
  for (const user of users(1000, "loser")) {
    if ((await claim(name, user)).headers.get("Served-By") === "edge") return name;
  }
  throw new Error("no certificate has come");
}

/** The hash of a user where the admin token is `token`. */
function hashOf(userId: string, token = ""): string {
  return sipHash(sipKeyOf(token, "doorbuster log 1"), userId);
}

test("a request's log line has route, status, code, coupon and a user hash", async () => {
  const name = await created(1);
  await claim(name, "ada", { "X-Request-Id": "request-1" });
  const line = { event: "request", method: "POST", route: "/api/coupons/claim", coupon: name };
  expect(lastLine()).toEqual({ ...line, request_id: "request-1", status: 201, user: hashOf("ada") });
  const { headers } = await claim(name, "用户 🎉");
  const user = hashOf("用户 🎉");
  expect(lastLine()).toEqual({ ...line, request_id: headers.get("X-Request-Id"), status: 400, code: "out_of_stock", user });
});

test("the user hash in the log depends on the admin token", async () => {
  const name = await created(1);
  await fetchWith({ ADMIN_TOKEN: "token" }, "POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: name } });
  expect(lastLine()).toMatchObject({ user: hashOf("ada", "token") });
  expect(hashOf("ada", "token")).not.toBe(hashOf("ada"));
});

test("50 requests at once write one log line each", async () => {
  const name = await created(50);
  lines();
  await Promise.all(Array.from({ length: 50 }, (_, index) => claim(name, `user-${index}`, { "X-Request-Id": `request-${index}` })));
  const ids = lines().map((line) => line["request_id"]);
  expect(ids).toHaveLength(50);
  expect(new Set(ids).size).toBe(50);
});

test.for<[string, string, unknown, Line]>([
  ["GET", "/health", undefined, { route: "/health", status: 200 }],
  ["GET", "/nowhere/ada", undefined, { status: 404, code: "not_found" }],
  ["PUT", "/api/coupons/x", {}, { status: 405, code: "method_not_allowed" }],
  ["POST", "/api/coupons", { name: 5 }, { route: "/api/coupons", status: 400, code: "invalid_request" }],
  ["POST", "/api/coupons/claim", "no object", { route: "/api/coupons/claim", status: 400, code: "invalid_request" }],
])("the log line of %s %s has no coupon and no user", async ([method, path, body, expected]) => {
  await send(method, path, { body });
  const written = lines();
  expect(written).toHaveLength(1);
  expect(written[0]).toMatchObject({ event: "request", method, ...expected });
  expect(written[0]).not.toHaveProperty("coupon");
  expect(written[0]).not.toHaveProperty("user");
});

test.for<[string, string, unknown, string, number, boolean]>([
  ["GET", "", undefined, "", 200, false],
  ["HEAD", "", undefined, "", 200, false],
  ["PATCH", "", { paused: false }, "", 200, false],
  ["GET", "/status", undefined, "/status", 200, false],
  ["GET", "/claims", undefined, "/claims", 200, false],
  ["GET", "/claims/ada", undefined, "/claims/{user_id}", 200, true],
  ["POST", "/holds", { user_id: "ada", ttl_seconds: 60 }, "/holds", 409, true],
  ["POST", "/holds?ttl=60", { user_id: "ada", ttl_seconds: 60 }, "/holds", 400, true],
  ["DELETE", "/holds/ada", undefined, "/holds/{user_id}", 204, true],
  ["DELETE", "/claims/ada?postion=1", undefined, "/claims/{user_id}", 400, true],
  ["DELETE", "/claims/ada", undefined, "/claims/{user_id}", 200, true],
  ["DELETE", "", undefined, "", 204, false],
])("the log line of %s /api/coupons/{name}%s names the route, not the path", async ([method, rest, body, route, status, hasUser]) => {
  const name = await created(5);
  await claim(name, "ada");
  lines();
  await fetchWith({}, method, `/api/coupons/${name}${rest}`, { body });
  const written = lines();
  expect(written).toHaveLength(1);
  expect(written[0]).toMatchObject({ method, route: `/api/coupons/{name}${route}`, status, coupon: name });
  expect(written[0]?.["user"]).toBe(hasUser ? hashOf("ada") : undefined);
});

test("the log line of a stream is written when it begins", async () => {
  const name = await created(5);
  lines();
  const { body } = await exports.default.fetch(`https://doorbuster.test/api/coupons/${name}/events`);
  await body?.cancel();
  expect(lines()).toEqual([expect.objectContaining({ route: "/api/coupons/{name}/events", status: 200, coupon: name })]);
});

test("a request writes one log line whatever the coupon's name is", async () => {
  const name = freshName('quote" brace} \u2028 line');
  await send("POST", "/api/coupons", { body: { name, amount: 1 } });
  expect(String(logged.mock.calls[0]?.[0])).not.toContain("\n");
  expect(lastLine()).toMatchObject({ coupon: name, status: 201 });
});

test.for<[string, Settings, number]>([
  ["unauthorized", { IDENTITY_SECRET: "secret" }, 401],
  ["rate_limited", SPENT, 429],
])("the log line of a refusal by the Worker has the code %s", async ([code, settings, status]) => {
  const name = freshName();
  await workerWith(settings)("POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: name } });
  expect(lastLine()).toMatchObject({ status, code, coupon: name, user: hashOf("ada") });
});

test.for([
  ["read", "GET", "/api/coupons/any", undefined, "unavailable"],
  ["status read", "GET", "/api/coupons/any-status/status", undefined, "unavailable"],
  ["claim", "POST", "/api/coupons/claim", { user_id: "secret-ada", coupon_name: "any" }, "outcome_unknown"],
  ["delete", "DELETE", "/api/coupons/any", undefined, "outcome_unknown"],
] as const)("a %s without an answer logs its cause in a second line", async ([, method, path, body, code]) => {
  for (const marks of [{ retryable: true }, { remote: true }]) {
    failed.mockClear();
    const delivery = lost(platformError(marks));
    const headers = { "X-Request-Id": "request-1" };
    const answer = await sendOver(platform(delivery, delivery, delivery), method, path, { body, headers });
    expect(outcomeOf(answer)).toBe(`503 ${code}`);
    expect(lastLine()).toMatchObject({ request_id: "request-1", status: 503, code });
    expect(failed).toHaveBeenCalledOnce();
    const cause = String(failed.mock.calls[0]?.[0]);
    expect(JSON.parse(cause)).toMatchObject({ event: "call_failed", request_id: "request-1", code });
    expect(cause).not.toContain("secret-ada");
  }
});

test("refusals by a certificate are logged in one line at its renewal", async () => {
  const name = await certified();
  lines();
  const answers = await Promise.all(users(30, "late").map((user) => claim(name, user)));
  expect(new Set(answers.map(({ headers }) => headers.get("Served-By")))).toEqual(new Set(["edge"]));
  expect(lines()).toEqual([]);
  setClock(T0 + CERTIFICATE_MS_MAX - 1);
  await claim(name, "last");
  expect(lines()).toEqual([{ event: "refused_at_edge", coupon: name, code: "out_of_stock", count: 32 }]);
});

test("no log line has a user id, token, idempotency key, query, cookie or body", async () => {
  const ask = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "token-of-the-operator", IDENTITY_SECRET: "" });
  const operator = { authorization: "Bearer token-of-the-operator" };
  const name = freshName();
  const body = { user_id: "secret-ada", coupon_name: name, junk: "secret-junk" };
  const headers = { "Idempotency-Key": "secret-key", Cookie: "secret-cookie" };
  await ask("POST", "/api/coupons", { ...operator, body: { name, amount: 1, note: "secret-note" } });
  await ask("POST", "/api/coupons/claim", { body, headers });
  await ask("POST", "/api/coupons/claim", { body: { ...body, user_id: "secret-bob" }, headers });
  await ask("POST", "/api/coupons/claim", { body: "secret-text", headers });
  await ask("GET", `/api/coupons/${name}/claims/secret-ada?why=secret-query`);
  await ask("DELETE", `/api/coupons/${name}/holds/secret-ada`);
  await ask("DELETE", `/api/coupons/${name}/claims/secret-ada`, { authorization: "Bearer secret-wrong" });
  await ask("DELETE", `/api/coupons/${name}/claims/secret-ada`, operator);
  await ask("GET", "/api/nowhere/secret-path", { headers });
  const written = JSON.stringify([logged.mock.calls, failed.mock.calls]);
  expect(lines()).toHaveLength(9);
  expect(written).not.toMatch(/secret|token-of/);
});

describe("REQUEST_LOG", () => {
  const ask = workerWith({ REQUEST_LOG: "off" });

  test("REQUEST_LOG off writes no line, also for refusals by a certificate", async () => {
    const name = await certified();
    const other = await created(1);
    lines();
    expect((await ask("POST", "/api/coupons/claim", { body: { user_id: "ada", coupon_name: other } })).status).toBe(201);
    expect((await ask("GET", "/nowhere")).status).toBe(404);
    setClock(T0 + CERTIFICATE_MS_MAX - 1);
    const refused = await ask("POST", "/api/coupons/claim", { body: { user_id: "last", coupon_name: name } });
    expect(refused.headers.get("Served-By")).toBe("edge");
    expect(lines()).toEqual([]);
  });

  test("REQUEST_LOG off still writes failures", async () => {
    const { coupons } = platform(lost(platformError({ overloaded: true })));
    expect((await fetchWith({ REQUEST_LOG: "off", COUPONS: coupons }, "GET", pathOf("any"))).status).toBe(503);
    expect(failed).toHaveBeenCalledOnce();
    expect(lines()).toEqual([]);
  });

  test.for(["on", "", undefined])("REQUEST_LOG %j writes a line for each request", async (REQUEST_LOG) => {
    expect(bindings.REQUEST_LOG).toBeUndefined();
    await fetchWith({ REQUEST_LOG }, "GET", "/health");
    expect(lines()).toHaveLength(1);
  });
});
