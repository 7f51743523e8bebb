// Pages of other origins: what they may call and read, and that they can't change anything elsewhere.

import { expect, test } from "vitest";

import { isOwnPage, requireAllowedOrigin } from "../../../src/http/cors.ts";
import { created, freshName, outcomeOf, pathOf, read } from "../../support/api.ts";
import { fetchWith, SPENT, workerWith, type Settings } from "../../support/worker.ts";

const [OWN, SHOP, CONSOLE, EVIL] = ["https://doorbuster.test", "https://shop.example", "https://console.example", "https://evil.example"];
const LISTED: Settings = { ALLOWED_ORIGINS: SHOP, OPERATOR_ORIGINS: CONSOLE };

test.for<[origin: string | null, site: string | null, isOwn: boolean]>([
  [null, null, true],
  [OWN, null, true],
  [OWN, "same-origin", true],
  // A proxy has changed the host of the URL.
  ["https://public.example", "same-origin", true],
  ["https://public.example", null, false],
  ["http://doorbuster.test", null, false],
  ["https://doorbuster.test:8443", null, false],
  ["null", null, false],
  ["", null, false],
  [EVIL, null, false],
  [EVIL, "cross-site", false],
  [EVIL, "none", false],
  [null, "none", true],
  [null, "cross-site", false],
  [null, "same-site", false],
  [OWN, "cross-site", false],
  [OWN, "", false],
])("a request with Origin %s and Sec-Fetch-Site %s is the own page's: %s", ([origin, site, isOwn]) => {
  expect(isOwnPage({ origin, site, ownOrigin: OWN })).toBe(isOwn);
});

test("a change with an Origin is refused where the Host makes no URL", () => {
  const request = { url: "http://[/api/coupons", headers: new Headers({ origin: "http://[" }) } as Request;
  const listed = { ALLOWED_ORIGINS: new Set<string>(), OPERATOR_ORIGINS: new Set<string>() };
  expect(requireAllowedOrigin(request, { method: "POST", who: "operator" }, listed)).toMatchObject({ code: "origin_not_allowed" });
});

/** Each route as [method, path], with the origins whose pages may call it. */
function routes(name: string): (readonly [method: string, path: string, origins: readonly string[]])[] {
  const [of, all, operator] = [(...rest: string[]) => pathOf(name, ...rest), [SHOP, CONSOLE], [CONSOLE]];
  return [
    ["GET", "/health", all],
    ["GET", "/openapi.json", all],
    ["GET", of(), all],
    ["GET", of("status"), all],
    ["HEAD", of("events"), all],
    ["POST", "/api/coupons/claim", all],
    ["POST", of("holds"), all],
    ["DELETE", of("holds", "ada"), all],
    ["GET", of("claims", "ada"), all],
    ["POST", "/api/coupons", operator],
    ["PATCH", of(), operator],
    ["DELETE", of(), operator],
    ["GET", of("claims"), operator],
    ["POST", of("claims"), operator],
    ["DELETE", of("claims", "ada"), operator],
    ["GET", of("holds"), operator],
    ["DELETE", of("holds"), operator],
    ["GET", of("metrics"), operator],
  ];
}

/** The origin that may read an answer, or null. Every answer varies by origin. */
function readerOf({ headers }: { readonly headers: Headers }): string | null {
  expect(headers.get("Vary")).toBe("Origin");
  expect(headers.get("Access-Control-Allow-Credentials")).toBeNull();
  return headers.get("Access-Control-Allow-Origin");
}

test("each route answers a preflight and the request of its own origins alone", async () => {
  const name = freshName();
  for (const [method, path, allowed] of routes(name))
    for (const origin of [SHOP, CONSOLE, EVIL, "null"]) {
      const reader = allowed.includes(origin) ? origin : null;
      const preflight = { origin, "access-control-request-method": method };
      const answer = await fetchWith(LISTED, "OPTIONS", path, { headers: preflight });
      const granted = [answer.status, readerOf(answer), answer.headers.get("Access-Control-Allow-Methods")];
      expect([method, path, ...granted]).toEqual([method, path, 204, reader, reader === null ? null : method]);
      expect(answer.headers.has("Access-Control-Allow-Headers")).toBe(reader !== null);
      expect(readerOf(await fetchWith(LISTED, method, path, { headers: { origin } }))).toBe(reader);
    }
});

test("a preflight of an allowed page names the headers that it may send and read, for two hours", async () => {
  const headers = { origin: SHOP, "access-control-request-method": "POST" };
  const answer = await fetchWith(LISTED, "OPTIONS", "/api/coupons/claim", { headers });
  expect(answer.headers.get("Access-Control-Allow-Headers")?.split(", ")).toEqual(
    expect.arrayContaining(["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"]),
  );
  expect(answer.headers.get("Access-Control-Expose-Headers")?.split(", ")).toEqual(
    expect.arrayContaining(["X-Request-Id", "Coupon-Seq", "ETag", "Retry-After", "Idempotent-Replayed", "RateLimit", "Server-Time"]),
  );
  expect(answer.headers.get("Access-Control-Max-Age")).toBe("7200");
});

test("OPTIONS without a requested method, or with one that the path lacks, stays 405", async () => {
  for (const headers of [{ origin: SHOP }, { origin: SHOP, "access-control-request-method": "PUT" }])
    expect((await fetchWith(LISTED, "OPTIONS", "/api/coupons/claim", { headers })).status).toBe(405);
});

test("an allowed page can read refusals, 304 and the stream of events", async () => {
  const name = await created(1);
  const sent = { headers: { origin: SHOP }, body: { user_id: "ada", coupon_name: name } };
  const etag = (await fetchWith(LISTED, "GET", pathOf(name, "status"))).headers.get("ETag") ?? "";
  const answers = [
    await fetchWith(LISTED, "GET", pathOf(name, "status"), { headers: { origin: SHOP, "if-none-match": etag } }),
    await fetchWith(LISTED, "POST", "/api/coupons/claim", { ...sent, body: {} }),
    await fetchWith(LISTED, "GET", "/nowhere", { headers: { origin: SHOP } }),
    await fetchWith(LISTED, "PUT", "/health", { headers: { origin: SHOP } }),
    await fetchWith({ ...LISTED, ...SPENT }, "POST", "/api/coupons/claim", sent),
    await fetchWith({ ...LISTED, RATE_LIMIT: "none" }, "POST", "/api/coupons/claim", sent),
    await fetchWith(LISTED, "GET", pathOf(name, "events"), { headers: { origin: SHOP } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([304, 400, 404, 405, 429, 503, 200]);
  expect(new Set(answers.map(readerOf))).toEqual(new Set([SHOP]));
  await answers.at(-1)?.body?.cancel();
});

test("without configured origins, no answer varies by origin or has CORS headers", async () => {
  const headers = { origin: SHOP, "access-control-request-method": "GET" };
  for (const method of ["OPTIONS", "GET"]) {
    const answer = await fetchWith({}, method, "/health", { headers });
    expect(Array.from(answer.headers.keys()).filter((key) => /^(?:vary|access-control)/.test(key))).toEqual([]);
  }
});

test.for([
  [{ origin: EVIL }],
  [{ origin: "null" }],
  [{ "sec-fetch-site": "cross-site" }],
  [{ origin: SHOP, "sec-fetch-site": "same-site" }],
])("a foreign page with %j can change nothing, also with ADMIN_AUTH=off", async ([headers]) => {
  const name = await created(3);
  const before = (await read(name)).headers.get("ETag");
  const ask = workerWith({ OPERATOR_ORIGINS: CONSOLE });
  const body = { name: freshName(), amount: 1, user_id: "ada", coupon_name: name, user_ids: ["ada"], ttl_seconds: 60 };
  for (const [method, path] of routes(name).filter(([each]) => !["GET", "HEAD"].includes(each))) {
    const answer = await ask(method, path, { headers: { ...headers, "content-type": "text/plain" }, body });
    expect([method, path, outcomeOf(answer)]).toEqual([method, path, "403 origin_not_allowed"]);
    expect(answer.body["error"]).toContain("ALLOWED_ORIGINS");
  }
  expect([(await read(name)).headers.get("ETag"), (await read(body.name)).status]).toEqual([before, 404]);
});

test("a foreign page with an allowed origin may claim but not create a coupon", async () => {
  const [name, ask, headers] = [await created(3), workerWith(LISTED), { origin: SHOP, "sec-fetch-site": "cross-site" }];
  const claim = { headers, body: { user_id: "ada", coupon_name: name } };
  expect(outcomeOf(await ask("POST", "/api/coupons/claim", claim))).toBe("201");
  const create = { headers, body: { name: freshName(), amount: 1 } };
  expect(outcomeOf(await ask("POST", "/api/coupons", create))).toBe("403 origin_not_allowed");
  expect(outcomeOf(await ask("POST", "/api/coupons", { ...create, headers: { origin: CONSOLE } }))).toBe("201");
});
