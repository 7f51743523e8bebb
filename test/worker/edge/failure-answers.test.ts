// What a caller gets when the object gave no answer: what to do, and nothing of the platform.

import { expect, test, vi } from "vitest";

import { REFUSALS } from "../../../src/http/refusals.ts";
import { lost, platform, PLATFORM_WORDS, platformError, sendOver } from "../../support/platform-faults.ts";

const REQUESTS = {
  claim: ["POST", "/api/coupons/claim", { user_id: "ada", coupon_name: "PROMO" }],
  create: ["POST", "/api/coupons", { name: "PROMO", amount: 5 }],
  read: ["GET", "/api/coupons/PROMO", undefined],
} as const;

const LOST = platformError({ retryable: true });
const OVERLOADED = platformError({ overloaded: true });
const BUG = platformError({ remote: true, retryable: true });

test.for([
  ["claim", "lost calls", LOST, "outcome_unknown"],
  ["create", "a lost call", LOST, "outcome_unknown"],
  ["read", "lost calls", LOST, "unavailable"],
  ["claim", "an overloaded object", OVERLOADED, "outcome_unknown"],
  ["read", "an overloaded object", OVERLOADED, "unavailable"],
  ["create", "an object's bug", BUG, "outcome_unknown"],
  ["claim", "a thrown text", PLATFORM_WORDS, "outcome_unknown"],
  ["read", "a thrown null", null, "unavailable"],
] as const)("a %s that meets %s gets 503 without words of the platform", async ([request, , thrown, code]) => {
  const log = vi.spyOn(console, "error").mockReturnValue();
  const [method, path, body] = REQUESTS[request];
  const over = platform(lost(thrown), lost(thrown), lost(thrown));
  const answer = await sendOver(over, method, path, { body, headers: { "X-Request-Id": "request-1" } });
  expect(answer.status).toBe(503);
  expect(answer.body).toEqual({ error: REFUSALS[code].error, code, request_id: "request-1" });
  expect(Object.fromEntries(answer.headers)).toEqual({
    "cache-control": "no-store, no-transform",
    "content-type": "application/json",
    "x-request-id": "request-1",
    "retry-after": "1",
  });
  // The cause is in the log alone.
  const lines = log.mock.calls.map(([line]): unknown => JSON.parse(String(line)));
  expect(lines).toEqual([{ event: "call_failed", request_id: "request-1", coupon: "PROMO", code, cause: String(thrown) }]);
  log.mockRestore();
});
