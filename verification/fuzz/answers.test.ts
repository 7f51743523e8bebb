// The fuzzer's check of answers finds each planted fault. That it accepts valid ones is shown by `npm run
// fuzz`.

import { expect, test } from "vitest";

import { accessCheck, answerCheck } from "./answers.ts";
import { answers, asks, COUPON, DOCUMENT, RECEIPT, refuses } from "./document.fixture.ts";
import { streamFault, type Parts } from "./streams.ts";
import { tokensSignedWith } from "./tokens.ts";

const check = answerCheck(DOCUMENT);
const PATH = "/api/coupons/PROMO";
const GET = asks("GET", PATH);
const CLAIM = asks("POST", "/api/coupons/claim", "{}");
const GRANTED = { ...RECEIPT, remaining_amount: 0 };
const FOUND = { etag: '"tag"', "coupon-seq": "3" };

test("the check of answers accepts the answer that the planted faults change", () => {
  expect(check(GET, answers(200, COUPON, FOUND))).toBeNull();
  const ofUser = (userId: string) =>
    check(asks("GET", `${PATH}/claims/ann`), answers(200, { ...RECEIPT, user_id: userId }, { "coupon-seq": "3" }));
  expect(ofUser(`erased:${"0f".repeat(16)}`)).toBeNull();
  expect(ofUser("erased:0f")).toContain('an answer about "erased:0f"');
});

test.for([
  ["a 503, also a documented one", GET, refuses(503, "unavailable"), "status 503"],
  ["an undocumented status", GET, refuses(409, "coupon_not_found"), "status 409 is not documented"],
  ["the code of another status", GET, refuses(404, "out_of_stock"), "does not fit its schema: /code"],
  ["a missing field", GET, answers(200, { ...COUPON, created_at: undefined }, FOUND), "required property 'created_at'"],
  ["an undocumented field", GET, answers(200, { ...COUPON, epoch: "x" }, FOUND), "unevaluated properties"],
  ["a number out of bounds", GET, answers(200, { ...COUPON, amount: 0 }, FOUND), "must be >= 1"],
  ["an invalid time", GET, answers(200, { ...COUPON, created_at: "today" }, FOUND), "/created_at must match"],
  ["a body that is not JSON", GET, answers(200, "{", FOUND), "not a JSON object"],
  ["another content type", GET, answers(200, COUPON, { ...FOUND, "content-type": "text/html" }), "content type text/html"],
  ["a body of a 204", asks("DELETE", PATH), answers(204, "x"), "an undocumented body"],
  ["a body to a HEAD", asks("HEAD", PATH), answers(200, COUPON, FOUND), "a body to a HEAD"],
  ["no X-Request-Id", GET, answers(200, COUPON, { ...FOUND, "x-request-id": undefined }), "no X-Request-Id"],
  ["another X-Request-Id", { ...GET, headers: [["X-Request-Id", "mine"]] }, answers(200, COUPON, FOUND), "not the caller's"],
  ["another request_id", GET, refuses(404, "coupon_not_found", { request_id: "r-2" }), "request_id is not X-Request-Id"],
  ["a missing header", GET, answers(200, COUPON), "no header etag"],
  ["an invalid header", GET, answers(200, COUPON, { ...FOUND, "coupon-seq": "x" }), 'header coupon-seq is "x"'],
  ["an undocumented header", GET, answers(200, COUPON, { ...FOUND, "x-powered-by": "us" }), "x-powered-by is not documented"],
  ["a 405 without Allow", asks("PUT", PATH), refuses(405, "method_not_allowed"), "no header allow"],
  ["a 404 for an unknown method", asks("PUT", PATH), refuses(404, "not_found"), "status 404 is not documented"],
  ["success on an unknown path", asks("GET", "/nowhere"), answers(200, COUPON), "status 200 is not documented"],
  ["a page that is no page", asks("GET", "/s/PROMO"), answers(200, "{}", { "content-type": "text/plain" }), "answers 200, not a page"],
  ["a page that redirects elsewhere", asks("GET", "/operator"), answers(303, "", { location: "//foreign.example" }), "redirects elsewhere"],
  ["another coupon", asks("GET", `${PATH}\\x`), answers(200, COUPON, FOUND), 'an answer about "PROMO"'],
  ["a coupon for a name that cannot be decoded", asks("GET", "/api/coupons/%ff"), answers(200, COUPON, FOUND), "cannot be decoded"],
  ["a stack", CLAIM, refuses(400, "invalid_request", { error: "x\n    at claim (worker.js:1:2)" }), "leaks internals"],
  ["SQL", CLAIM, refuses(400, "invalid_request", { error: "no such table: claims" }), "leaks internals: no such table"],
  ["a word of the platform in a header", GET, answers(200, COUPON, { ...FOUND, "cache-control": "durable" }), "leaks internals"],
] as const)("the check of answers finds %s", ([, request, answer, fault]) => {
  expect(check(request, answer)).toContain(fault);
});

test("the check of exports accepts receipts by the line and finds broken lines", () => {
  const parts = { isReceipt: (value: unknown) => value !== null } as unknown as Parts;
  const line = `${JSON.stringify({ ...RECEIPT, user_id: "a\u2028b\u2029" })}\n`;
  const csv = 'coupon_name,user_id,position,claimed_at\r\nA,"a,""b",1,now\r\n';
  expect([streamFault("application/x-ndjson", line + line, parts), streamFault("text/csv", csv, parts)]).toEqual([null, null]);
  for (const wrong of [line.trimEnd(), `${line}\n`, `${line}x\n`]) expect(streamFault("application/x-ndjson", wrong, parts)).not.toBeNull();
  for (const wrong of [csv.slice(1), csv.trimEnd(), `${csv}A,b,1\r\n`, `${csv}A,"b,1,now\r\n`])
    expect(streamFault("text/csv", wrong, parts)).not.toBeNull();
});

test("the check of access accepts the user's and the operator's token alone", () => {
  const tokens = tokensSignedWith("operator", "secret");
  const isAllowed = accessCheck(DOCUMENT, tokens);
  const claimWith = (token: string) =>
    isAllowed({ ...CLAIM, headers: [["Authorization", `Bearer ${token}`]] }, answers(201, GRANTED)) ?? "allowed";
  expect([claimWith(tokens.ofUser?.("ann") ?? ""), claimWith("operator"), isAllowed(GET, answers(200, COUPON, FOUND))]).toEqual([
    "allowed",
    "allowed",
    null,
  ]);
  for (const token of [tokens.ofUser?.("other") ?? "", ...tokens.invalid, ""]) expect(claimWith(token)).not.toBe("allowed");
});
