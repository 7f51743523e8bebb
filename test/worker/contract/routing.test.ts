// Routing: which paths and methods exist, how a path names a coupon, and the headers of every answer.

import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, hold, read, remove, send } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { expectRefused } from "../../support/wire.ts";

test("GET /health answers healthy and the server's time", async () => {
  setClock(T0 + 7);
  const { status, body, headers } = await send("GET", "/health");
  expect([status, body]).toEqual([200, { status: "healthy", server_time: "2031-03-01T12:00:00.007Z" }]);
  expect(headers.get("Coupon-Seq")).toBeNull();
});

async function home(accept: string) {
  const response = await exports.default.fetch("https://doorbuster.test/", { headers: { accept } });
  const header = (name: string) => response.headers.get(name) ?? "";
  return { type: header("Content-Type"), policy: header("Content-Security-Policy"), text: await response.text() };
}

test.for(["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", "text/html;q=0.9, application/json;q=0.1"])(
  "GET / for Accept: %s is a page that loads files of its own server alone",
  async (accept) => {
    const { type, policy, text } = await home(accept);
    expect(type).toBe("text/html; charset=utf-8");
    expect(text).toMatch(/^<!doctype html><html lang="en">/);
    expect(text).not.toMatch(/<style|<script(?! type="module" src="\/assets\/)|style=|(?:src|href)="(?!\/)/);
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  },
);

test.for(["application/json", "text/html;q=0.5, application/json"])("GET / for Accept: %s is JSON with links", async (accept) => {
  const { type, text } = await home(accept);
  expect(type).toBe("application/json");
  const { links } = JSON.parse(text) as { links: Record<string, string> };
  expect(links).toEqual({ console: "/operator", docs: "/docs", openapi: "/openapi.json", health: "/health" });
});

test("a browser that navigates to a missing path gets a page, and an API caller JSON", async () => {
  const [page, json] = await Promise.all(
    ["text/html,*/*;q=0.8", "*/*"].map((accept) => exports.default.fetch("https://doorbuster.test/nowhere", { headers: { accept } })),
  );
  expect([page?.status, page?.headers.get("Content-Type")]).toEqual([404, "text/html; charset=utf-8"]);
  expect([json?.status, json?.headers.get("Content-Type")]).toEqual([404, "application/json"]);
  expect(await page?.text()).toContain("There is nothing here");
  const ofApi = await exports.default.fetch("https://doorbuster.test/api/nowhere", { headers: { accept: "text/html" } });
  expect([ofApi.status, ofApi.headers.get("Content-Type")]).toEqual([404, "application/json"]);
});

test.for([
  ["/operator/", 308, "/operator"],
  ["/docs/?a=/&b=/", 308, "/docs?a=/&b=/"],
  ["/s/a%2Fb/", 308, "/s/a%2Fb"],
  ["/operator/sales/SALE/", 308, "/operator/sales/SALE"],
  ["/s//", 404, null],
  ["/docs//", 404, null],
  ["//evil.test/", 404, null],
  ["/docs/?a=1/", 308, "/docs?a=1/"],
  ["/docs?a=1/", 200, null],
  ["/health/", 404, null],
  ["/openapi.json/", 404, null],
  ["/api/coupons/SALE/", 404, null],
] as const)("GET %s gets %i: only pages are found with a final slash", async ([path, status, location]) => {
  const response = await exports.default.fetch(`https://doorbuster.test${path}`, { redirect: "manual" });
  await response.text();
  expect([response.status, response.headers.get("Location")]).toEqual([status, location]);
});

test("a static asset is served where the Worker is called for its path", async () => {
  const asset = await exports.default.fetch("https://doorbuster.test/favicon.svg");
  expect([asset.status, asset.headers.get("Content-Type")]).toEqual([200, "image/svg+xml"]);
  await asset.text();
});

test("crawlers are kept out of the console and the API", async () => {
  const robots = await exports.default.fetch("https://doorbuster.test/robots.txt");
  expect(await robots.text()).toBe("User-agent: *\nDisallow: /api/\nDisallow: /operator\n");
});

test.for([
  "//",
  "/HEALTH",
  "/api/coupons/",
  "/API/coupons/x",
  "/api/coupons//",
  "/api/coupons/x/",
  "/api/coupons/a/b",
  "/api/coupons/a\\b",
  "/api/coupons/%2e%2e",
  "/api/coupons/claim/x",
  "/api%2Fcoupons",
  "/%00",
  "/%",
])("GET %s gets 404 in JSON", async (path) => {
  expectRefused(await send("GET", path), "404 not_found");
});

test.for(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s of a missing path gets 404 without Allow", async (method) => {
  const answer = await send(method, "/nowhere");
  expectRefused(answer, "404 not_found");
  expect(answer.headers.get("Allow")).toBeNull();
});

test.for([
  ["POST", "/health", "GET, HEAD"],
  ["PUT", "/openapi.json", "GET, HEAD"],
  ["DELETE", "/api/coupons", "POST, GET, HEAD"],
] as const)("%s %s gets 405 with Allow: %s", async ([method, path, allow]) => {
  const answer = await send(method, path);
  expectRefused(answer, "405 method_not_allowed");
  expect(answer.headers.get("Allow")).toBe(allow);
});

test.for([
  ["PUT", "x", ["GET", "HEAD", "PATCH", "DELETE"]],
  ["POST", "x", ["GET", "HEAD", "PATCH", "DELETE"]],
  ["PUT", "claim", ["GET", "HEAD", "PATCH", "DELETE", "POST"]],
] as const)("%s of the coupon %s gets 405 with all methods in Allow", async ([method, name, allowed]) => {
  const answer = await send(method, `/api/coupons/${name}`, { body: {} });
  expectRefused(answer, "405 method_not_allowed");
  expect(answer.headers.get("Allow")?.split(", ").toSorted()).toEqual(allowed.toSorted());
});

test("a coupon called claim can be read, held, claimed and deleted", async () => {
  await create("claim", 2);
  expect((await send("GET", "/api/coupons/claim")).body).toMatchObject({ name: "claim", remaining_amount: 2 });
  expect((await hold("claim", "ada")).status).toBe(201);
  expect((await claim("claim", "ada")).status).toBe(201);
  expect((await read("claim")).body).toMatchObject({ remaining_amount: 1, claimed_by: ["ada"] });
  expect((await remove("claim")).status).toBe(204);
});

test("HEAD of a coupon has the headers of GET and no body", async () => {
  const name = await created(1);
  const { status, body, headers } = await send("HEAD", `/api/coupons/${name}`);
  expect([status, body]).toEqual([200, {}]);
  expect([headers.get("Coupon-Seq"), headers.get("Content-Type")]).toEqual(["1", "application/json"]);
});

test.for([
  ["/health", 200],
  ["/nowhere", 404],
  ["/api/coupons/unknown", 404],
  ["/api/coupons/unknown/archive", 405],
] as const)("HEAD %s gets %i without a body", async ([path, expected]) => {
  const { status, body, headers } = await send("HEAD", path);
  expect([status, body]).toEqual([expected, {}]);
  expect(headers.get("X-Request-Id")).toMatch(/./);
});

test.for([
  ["a/b", "a%2Fb"],
  ["100%", "100%25"],
  ["what?#", "what%3F%23"],
  ["two words", "two%20words"],
  ["a+b", "a+b"],
  ["用户🎉", "用户🎉"],
  ["a;b=c,d@e:f&g", "a;b=c,d@e:f&g"],
  ["a\\b", "a%5Cb"],
] as const)("the coupon %s is read at the path segment %s", async ([name, segment]) => {
  await create(name, 1);
  const { status, body } = await send("GET", `/api/coupons/${segment}`);
  expect([status, body["name"]]).toEqual([200, name]);
});

test("a coupon's name in a path is decoded once", async () => {
  const amounts = { "/": 10, "%2F": 20, "%252F": 30 };
  for (const [name, amount] of Object.entries(amounts)) expect((await create(name, amount)).status).toBe(201);
  for (const [name, amount] of Object.entries(amounts)) expect((await read(name)).body).toMatchObject({ name, amount });
  expect((await send("GET", "/api/coupons/%252F")).body["amount"]).toBe(20);
});

test.for([
  ["a percent sign alone", "100%"],
  ["letters that are no digits", "%zz"],
  ["a byte that is not UTF-8", "%ff"],
  ["half a surrogate pair", "%ED%A0%80"],
  ["a NUL", "a%00b"],
  ["white space alone", "%20%20"],
  ["256 characters of 4 bytes", encodeURIComponent("🎉".repeat(256))],
  ["two escaped dots", "%252e%252e"],
] as const)("a path with %s as the coupon gets 404", async ([, segment]) => {
  expectRefused(await send("GET", `/api/coupons/${segment}`), "404 coupon_not_found", "coupon not found");
});

describe.for([
  ["GET", "/health", 200],
  ["GET", "/openapi.json", 200],
  ["GET", "/nowhere", 404],
  ["PUT", "/health", 405],
  ["POST", "/api/coupons", 400],
  ["POST", "/api/coupons/claim", 400],
  ["GET", "/api/coupons/unknown", 404],
] as const)("%s %s", ([method, path, expected]) => {
  test(`the answer to ${method} ${path} is JSON and has the caller's X-Request-Id`, async () => {
    for (const id of ["r", "req-1/a:b=c", "~!@#$%^&*()", "x".repeat(255)]) {
      const { status, headers } = await send(method, path, { headers: { "x-request-id": id } });
      expect([status, headers.get("X-Request-Id"), headers.get("Content-Type")]).toEqual([expected, id, "application/json"]);
    }
  });

  test(`the answer to ${method} ${path} replaces an invalid X-Request-Id`, async () => {
    for (const id of ["", "two words", "x".repeat(256), "café", "tab\tinside"]) {
      const { headers } = await send(method, path, { headers: { "x-request-id": id } });
      expect(headers.get("X-Request-Id")).toMatch(/^[0-9a-f]{16}-[0-9a-z]+$/);
    }
  });
});

test("100 answers at once have 100 different request ids", async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => send("GET", "/health")));
  expect(new Set(answers.map(({ headers }) => headers.get("X-Request-Id"))).size).toBe(100);
});

test("Coupon-Seq is on every answer of the object and counts the coupon's events", async () => {
  const name = freshName();
  const answers = [
    await read(name),
    await claim(name, "user"),
    await create(name, 1),
    await read(name),
    await claim(name, "user"),
    await claim(name, "user"),
    await claim(name, "other"),
    await create(name, 1),
    await read(name),
  ];
  expect(answers.map(({ status, headers }) => `${status} at ${headers.get("Coupon-Seq")}`)).toEqual([
    "404 at 0",
    "404 at 0",
    "201 at 1",
    "200 at 1",
    "201 at 2",
    "409 at 2",
    "400 at 2",
    "409 at 2",
    "200 at 2",
  ]);
});

test.for([
  ["GET", "/nowhere"],
  ["PUT", "/api/coupons"],
  ["POST", "/api/coupons"],
  ["POST", "/api/coupons/claim"],
  ["GET", "/api/coupons/%00"],
] as const)("Coupon-Seq is not on the Worker's own answer to %s %s", async ([method, path]) => {
  expect((await send(method, path)).headers.get("Coupon-Seq")).toBeNull();
});
