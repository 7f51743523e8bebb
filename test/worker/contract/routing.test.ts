// Routing: which paths and methods there are, and what stands in a path for a name.

import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, read, send } from "../../support/api.ts";
import { expectRefused } from "../../support/wire.ts";

const NO_ROUTE = "no such route: see /openapi.json";
const NO_METHOD = "this route does not take this method: see Allow";

describe("a path that is nobody's answers 404 in JSON", () => {
  test.for([
    "/",
    "/healthz",
    "/health/",
    "/HEALTH",
    "/api",
    "/api/",
    "/api/coupons/",
    "/API/coupons/x",
    "/api/coupons//",
    "/api//coupons",
    "/api/coupons/x/",
    "/api/coupons/a/b",
    "/api/coupons/a\\b",
    "/api/coupons/x/..",
    "/api/coupons/%2e%2e",
    "/api/coupons/claim/x",
    "/api%2Fcoupons",
    "/openapi.yaml",
    "/favicon.ico",
    "/.env",
    "/wp-login.php",
    "/%00",
    "/%",
  ])("GET %s", async (path) => {
    expectRefused(await send("GET", path), "404 not_found", NO_ROUTE);
  });

  test.for(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s /nowhere", async (method) => {
    const answer = await send(method, "/nowhere");
    expectRefused(answer, "404 not_found", NO_ROUTE);
    expect(answer.headers.get("Allow")).toBeNull();
  });
});

describe("a method that a path does not take answers 405 with those that it takes", () => {
  test.for([
    ["POST", "/health", "GET, HEAD"],
    ["DELETE", "/health", "GET, HEAD"],
    ["OPTIONS", "/health", "GET, HEAD"],
    ["PUT", "/openapi.json", "GET, HEAD"],
    ["GET", "/api/coupons", "POST"],
    ["PUT", "/api/coupons", "POST"],
    ["DELETE", "/api/coupons", "POST"],
    ["PATCH", "/api/coupons", "POST"],
  ] as const)("%s %s", async ([method, path, allow]) => {
    const answer = await send(method, path);
    expectRefused(answer, "405 method_not_allowed", NO_METHOD);
    expect(answer.headers.get("Allow")).toBe(allow);
  });

  test("PUT and POST of one coupon, which can be read", async () => {
    const name = await created(1);
    for (const method of ["PUT", "POST"]) {
      const answer = await send(method, `/api/coupons/${name}`, { body: {} });
      expectRefused(answer, "405 method_not_allowed", NO_METHOD);
      expect(answer.headers.get("Allow")?.split(", ")).toEqual(expect.arrayContaining(["GET", "HEAD"]));
      expect(answer.headers.get("Allow")?.split(", ")).not.toContain(method);
    }
  });

  test("PUT of the claims, where a coupon may be read too", async () => {
    const answer = await send("PUT", "/api/coupons/claim");
    expectRefused(answer, "405 method_not_allowed", NO_METHOD);
    expect(answer.headers.get("Allow")?.split(", ")).toEqual(expect.arrayContaining(["POST", "GET", "HEAD"]));
  });
});

test("a coupon called claim has all that others have, beside the path on which everybody claims", async () => {
  await create("claim", 1);
  expect((await send("GET", "/api/coupons/claim")).body).toMatchObject({ name: "claim", remaining_amount: 1 });
  expect((await send("POST", "/api/coupons/claim/holds", { body: { user_id: "ada", ttl_seconds: 60 } })).status).toBe(201);
  expect((await claim("claim", "ada")).status).toBe(201);
  expect((await send("DELETE", "/api/coupons/claim")).status).toBe(204);
});

describe("HEAD answers as GET does, without the body", () => {
  test("a coupon", async () => {
    const name = await created(1);
    const { status, body, headers } = await send("HEAD", `/api/coupons/${name}`);
    expect([status, body]).toEqual([200, {}]);
    expect(headers.get("Coupon-Seq")).toBe("1");
    expect(headers.get("Content-Type")).toBe("application/json");
  });

  test.for([
    ["/health", 200],
    ["/openapi.json", 200],
    ["/nowhere", 404],
    ["/api/coupons/unknown", 404],
    ["/api/coupons", 405],
  ] as const)("%s", async ([path, expected]) => {
    const { status, body, headers } = await send("HEAD", path);
    expect([status, body]).toEqual([expected, {}]);
    expect(headers.get("X-Request-Id")).toMatch(/./);
  });
});

describe("a name in a path is one percent-encoded segment", () => {
  test.for([
    ["escaped slashes", "a/b", "a%2Fb"],
    ["escaped slashes, in small letters", "c/d", "c%2fd"],
    ["an escaped percent sign", "100%", "100%25"],
    ["an escaped question mark and hash", "what?#", "what%3F%23"],
    ["an escaped space", "two words", "two%20words"],
    ["a plus, which is no space", "a+b", "a+b"],
    ["letters that need no escape, escaped", "plain", "%70l%61in"],
    ["letters that need an escape, and have none", "用户🎉", "用户🎉"],
    ["the separators of paths and parameters", "a;b=c,d@e:f&g", "a;b=c,d@e:f&g"],
    ["an escaped backslash", "a\\b", "a%5Cb"],
  ] as const)("%s", async ([, name, segment]) => {
    await create(name, 1);
    const { status, body } = await send("GET", `/api/coupons/${segment}`);
    expect([status, body["name"]]).toEqual([200, name]);
  });

  test("a query after it is no part of it", async () => {
    const name = await created(1);
    const { status, body } = await send("GET", `/api/coupons/${name}?x=1&name=other#part`);
    expect([status, body["name"]]).toEqual([200, name]);
  });

  test("claim is a name like any other: GET looks, POST claims", async () => {
    await create("claim", 2);
    expect((await claim("claim", "user")).status).toBe(201);
    const { status, body } = await send("GET", "/api/coupons/claim");
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: "claim", remaining_amount: 1, claimed_by: ["user"] });
  });

  test("is decoded once: what looks escaped is another name", async () => {
    const amounts = { "/": 10, "%2F": 20, "%252F": 30 };
    for (const [name, amount] of Object.entries(amounts)) expect((await create(name, amount)).status).toBe(201);
    for (const [name, amount] of Object.entries(amounts)) expect((await read(name)).body).toMatchObject({ name, amount });
    expect((await send("GET", "/api/coupons/%252F")).body["amount"]).toBe(20);
  });

  test.for([
    ["a percent sign alone", "100%"],
    ["half an escape", "%4"],
    ["letters that are no digits", "%zz"],
    ["a byte that is no UTF-8", "%ff"],
    ["half a surrogate pair", "%ED%A0%80"],
    ["a NUL", "a%00b"],
    ["a line end", "a%0D%0Ab"],
    ["white space alone", "%20%20"],
    ["256 letters", "x".repeat(256)],
    ["256 characters of 4 bytes", encodeURIComponent("🎉".repeat(256))],
    ["8,000 letters", "x".repeat(8000)],
    ["two dots, escaped so that they stay", "%252e%252e"],
  ] as const)("%s can name no coupon, or none that is there", async ([, segment]) => {
    expectRefused(await send("GET", `/api/coupons/${segment}`), "404 coupon_not_found", "coupon not found");
  });
});

describe("every answer names its request", () => {
  const ASKED = [
    ["GET", "/health", 200],
    ["GET", "/openapi.json", 200],
    ["GET", "/nowhere", 404],
    ["PUT", "/health", 405],
    ["POST", "/api/coupons", 400],
    ["POST", "/api/coupons/claim", 400],
    ["GET", "/api/coupons/unknown", 404],
  ] as const;

  test.for(ASKED)("%s %s, as the caller did", async ([method, path, expected]) => {
    for (const id of ["r", "req-1/a:b=c", "~!@#$%^&*()", "x".repeat(255)]) {
      const { status, headers } = await send(method, path, { headers: { "x-request-id": id } });
      expect([status, headers.get("X-Request-Id")]).toEqual([expected, id]);
    }
  });

  test.for(ASKED)("%s %s, by an id of its own where the caller sent none that fits", async ([method, path]) => {
    for (const id of ["", "two words", "x".repeat(256), "café", "tab\tinside"]) {
      const { headers } = await send(method, path, { headers: { "x-request-id": id } });
      expect(headers.get("X-Request-Id")).toMatch(/^[0-9a-f]{16}-[0-9a-z]+$/);
    }
  });

  test("no two by the same", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => send("GET", "/health")));
    expect(new Set(answers.map(({ headers }) => headers.get("X-Request-Id"))).size).toBe(100);
  });

  test.for(ASKED)("%s %s, in JSON", async ([method, path]) => {
    expect((await send(method, path)).headers.get("Content-Type")).toBe("application/json");
  });
});

describe("Coupon-Seq", () => {
  test("is on every answer of the object, and counts what happened to the coupon", async () => {
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
    expect(answers.map(({ status, headers }) => [status, headers.get("Coupon-Seq")])).toEqual([
      [404, "0"],
      [404, "0"],
      [201, "1"],
      [200, "1"],
      [201, "2"],
      [409, "2"],
      [400, "2"],
      [409, "2"],
      [200, "2"],
    ]);
  });

  test.for([
    ["GET", "/health"],
    ["GET", "/nowhere"],
    ["PUT", "/api/coupons"],
    ["POST", "/api/coupons"],
    ["POST", "/api/coupons/claim"],
    ["GET", "/api/coupons/%00"],
  ] as const)("is on no answer that the Worker gave by itself: %s %s", async ([method, path]) => {
    expect((await send(method, path)).headers.get("Coupon-Seq")).toBeNull();
  });
});
