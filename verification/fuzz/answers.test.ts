// The fuzzer's check of answers: right ones pass, and each planted fault is found.

import { describe, expect, test } from "vitest";

import { answerCheck, strangerCheck } from "./answers.ts";
import { streamFault, type Parts } from "./streams.ts";
import type { FuzzRequest } from "./request.ts";
import { guardedTokens, openTokens } from "./tokens.ts";
import { answers, asks, DOCUMENT, refuses } from "./document.fixture.ts";

const check = answerCheck(DOCUMENT);
const LOOK = asks("GET", "/api/coupons/PROMO");
const CLAIM = asks("POST", "/api/coupons/claim", "{}");
const COUPON = { name: "PROMO", amount: 3, created_at: "2026-11-21T09:56:14.724Z" };
const RECEIPT = { coupon_name: "PROMO", user_id: "user", position: 1 };
const FOUND = { etag: '"tag"', "coupon-seq": "3" };

describe("a right answer passes", () => {
  test.for([
    ["a coupon", LOOK, answers(200, COUPON, FOUND)],
    ["a refusal", LOOK, refuses(404, "coupon_not_found")],
    [
      "a refusal that repeats what somebody sent",
      CLAIM,
      refuses(400, "out_of_stock", { claim: { ...RECEIPT, user_id: "select 1; at x (y)" } }),
    ],
    ["nothing, where there is nothing to say", asks("DELETE", "/api/coupons/PROMO"), answers(204, "", { "content-type": undefined })],
    ["a HEAD", asks("HEAD", "/api/coupons/PROMO"), answers(200, "", FOUND)],
    ["a claim, whose path is that of a coupon too", CLAIM, answers(201, RECEIPT)],
    ["a path that is nobody's", asks("GET", "/nowhere"), refuses(404, "not_found")],
    [
      "a method that the path does not take",
      asks("PUT", "/api/coupons/PROMO"),
      { ...refuses(405, "method_not_allowed"), headers: { ...refuses(405, "").headers, allow: "GET, HEAD" } },
    ],
    ["a name that is escaped", asks("GET", "/api/coupons/a%2Fb?x=1"), answers(200, { ...COUPON, name: "a/b" }, FOUND)],
    ["a name in bytes", asks("GET", "/api/coupons/\u00c3\u00a9"), answers(200, { ...COUPON, name: "é" }, FOUND)],
    ["a path that was normalized on the way", asks("GET", "/api/x/../coupons/PROMO"), answers(200, COUPON, FOUND)],
  ] as const)("%s", ([, request, answer]) => {
    expect(check(request, answer)).toBeNull();
  });
});

test("a line of NDJSON may hold what ends lines elsewhere", () => {
  const parts = { isReceipt: (value: unknown) => value !== null } as unknown as Parts;
  const line = `${JSON.stringify({ ...RECEIPT, user_id: "a\u2028b\u2029" })}\n`;
  expect(streamFault("application/x-ndjson", line + line, parts)).toBeNull();
  for (const wrong of [line.trimEnd(), `${line}\n`, `${line}x\n`])
    expect(streamFault("application/x-ndjson", wrong, parts)).toBe("a line that is no receipt");
});

describe("a wrong answer is found", () => {
  test.for([
    ["a 500", LOOK, refuses(500, "internal_error"), "status 500"],
    ["a 503, documented or not", LOOK, refuses(503, "unavailable"), "status 503"],
    ["a status that is not documented", LOOK, refuses(409, "coupon_not_found"), "status 409 is not documented"],
    ["a code that is another status's", LOOK, refuses(404, "out_of_stock"), "does not fit its schema: /code"],
    ["a field that is missing", LOOK, answers(200, { name: "PROMO", amount: 3 }, FOUND), "required property 'created_at'"],
    ["a field that is not documented", LOOK, answers(200, { ...COUPON, epoch: "x" }, FOUND), "unevaluated properties"],
    ["a field of another type", LOOK, answers(200, { ...COUPON, amount: "3" }, FOUND), "must be integer"],
    ["a number out of bounds", LOOK, answers(200, { ...COUPON, amount: 11 }, FOUND), "must be <= 10"],
    ["a time that is none", LOOK, answers(200, { ...COUPON, created_at: "today" }, FOUND), "must match format"],
    ["a body that is no JSON", LOOK, answers(200, "{", FOUND), "no JSON object"],
    ["a list in place of an object", LOOK, answers(200, [], FOUND), "no JSON object"],
    ["another content type", LOOK, answers(200, COUPON, { ...FOUND, "content-type": "text/html" }), "content type text/html"],
    ["a body where there is none", asks("DELETE", "/api/coupons/PROMO"), answers(204, "x"), "a body where there is none"],
    ["a body to a HEAD", asks("HEAD", "/api/coupons/PROMO"), answers(200, COUPON, FOUND), "a body to a HEAD"],
    ["no X-Request-Id", LOOK, answers(200, COUPON, { ...FOUND, "x-request-id": undefined }), "no X-Request-Id"],
    ["another's X-Request-Id", { ...LOOK, headers: [["X-Request-Id", "mine"]] }, answers(200, COUPON, FOUND), "not the caller's"],
    [
      "a request_id that is not the header's",
      LOOK,
      refuses(404, "coupon_not_found", { request_id: "r-2" }),
      "request_id is not X-Request-Id",
    ],
    ["a header that has to be there", LOOK, answers(200, COUPON), "no header etag"],
    ["a header that is no number", LOOK, answers(200, COUPON, { ...FOUND, "coupon-seq": "x" }), 'header coupon-seq is "x"'],
    [
      "a header that is not documented",
      LOOK,
      answers(200, COUPON, { ...FOUND, "x-powered-by": "us" }),
      "header x-powered-by is not documented",
    ],
    ["no Allow with a 405", asks("PUT", "/api/coupons/PROMO"), refuses(405, "method_not_allowed"), "no header allow"],
    ["a 404 for a method", asks("PUT", "/api/coupons/PROMO"), refuses(404, "not_found"), "status 404 is not documented"],
    ["success on a path that is nobody's", asks("GET", "/nowhere"), answers(200, COUPON), "status 200 is not documented"],
    ["another coupon", LOOK, answers(200, { ...COUPON, name: "OTHER" }, FOUND), 'an answer about "OTHER"'],
    ["a coupon for a name cut short", asks("GET", "/api/coupons/PROMO\\x"), answers(200, COUPON, FOUND), 'an answer about "PROMO"'],
    ["a coupon for a name that can't be read", asks("GET", "/api/coupons/%ff"), answers(200, COUPON, FOUND), "a name that can't be read"],
    ["a stack", CLAIM, refuses(400, "invalid_request", { error: "x\n    at claim (worker.js:1:2)" }), "its insides"],
    ["SQL", CLAIM, refuses(400, "invalid_request", { error: "no such table: claims" }), "its insides: no such table"],
    ["a word of the platform", LOOK, answers(200, COUPON, { ...FOUND, "cache-control": "durable" }), "its insides: durable"],
  ] as const)("%s", ([, request, answer, fault]) => {
    expect(check(request, answer)).toContain(fault);
  });
});

function withToken(token: string): FuzzRequest {
  return { ...CLAIM, headers: [["Authorization", `Bearer ${token}`]] };
}

describe("where users are known by tokens", () => {
  const tokens = guardedTokens("operator", "secret");
  const isStranger = strangerCheck(DOCUMENT, tokens);

  test("a user may be served", () => {
    expect(isStranger(withToken(tokens.ofUser?.("user") ?? ""), answers(201, RECEIPT))).toBeNull();
    expect(isStranger(withToken("operator"), answers(201, RECEIPT))).toBeNull();
  });

  test("a stranger may be refused, and look at what everybody may", () => {
    expect(isStranger(CLAIM, refuses(400, "invalid_request"))).toBeNull();
    expect(isStranger(LOOK, answers(200, COUPON, FOUND))).toBeNull();
  });

  test("a stranger who is served is found", () => {
    for (const token of [tokens.ofUser?.("other") ?? "", ...tokens.hostile]) {
      expect(isStranger(withToken(token), answers(201, RECEIPT))).toBe("a stranger was served");
    }
    expect(isStranger(CLAIM, answers(201, RECEIPT))).toBe("a stranger was served");
  });

  test("and nowhere else", () => {
    expect(strangerCheck(DOCUMENT, openTokens(undefined))(CLAIM, answers(201, RECEIPT))).toBeNull();
  });
});
