// What a caller gets when the object gave no answer: all that helps, and nothing of the platform.

import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from "vitest";

import { REFUSALS } from "../../../src/http/refusals.ts";
import { lost, platform, PLATFORM_WORDS, platformError, sendOver } from "../../support/platform-faults.ts";

const REQUESTS = {
  claim: ["POST", "/api/coupons/claim", { user_id: "ada", coupon_name: "PROMO" }],
  create: ["POST", "/api/coupons", { name: "PROMO", amount: 5 }],
  read: ["GET", "/api/coupons/PROMO", undefined],
} as const;

const PASSING = platformError({ retryable: true });
const OVERLOADED = platformError({ overloaded: true });
const BUG = platformError({ remote: true, retryable: true });

const UNAVAILABLE = [503, "unavailable"] as const;
const OUTCOME_UNKNOWN = [503, "outcome_unknown"] as const;

const CASES = [
  ["claim", "a fault that does not pass", PASSING, OUTCOME_UNKNOWN],
  ["create", "a fault that may pass", PASSING, OUTCOME_UNKNOWN],
  ["read", "a fault that does not pass", PASSING, UNAVAILABLE],
  ["claim", "an overloaded object", OVERLOADED, OUTCOME_UNKNOWN],
  ["create", "an overloaded object", OVERLOADED, OUTCOME_UNKNOWN],
  ["read", "an overloaded object", OVERLOADED, UNAVAILABLE],
  ["claim", "an exception of the object's code", BUG, OUTCOME_UNKNOWN],
  ["create", "an exception of the object's code", BUG, OUTCOME_UNKNOWN],
  ["read", "an exception of the object's code", BUG, UNAVAILABLE],
  ["claim", "an exception that is a text", PLATFORM_WORDS, OUTCOME_UNKNOWN],
  ["read", "an exception that is null", null, UNAVAILABLE],
] as const;

let log: MockInstance<typeof console.error>;
beforeEach(() => {
  log = vi.spyOn(console, "error").mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe.for(CASES)("a %s that meets %s", ([request, , thrown, [status, code]]) => {
  const [method, path, body] = REQUESTS[request];

  function sendFailing(headers: Record<string, string> = {}) {
    return sendOver(platform(lost(thrown), lost(thrown), lost(thrown)), method, path, { body, headers });
  }

  test(`answers ${status} ${code} and not a word more`, async () => {
    const answer = await sendFailing({ "X-Request-Id": "request-1" });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: REFUSALS[code].error, code, request_id: "request-1" });
    expect(Object.fromEntries(answer.headers)).toEqual({
      "cache-control": "no-store",
      "content-type": "application/json",
      "x-request-id": "request-1",
      "retry-after": "1",
    });
  });

  test("names the request in the answer and in the log, with the cause there", async () => {
    const answer = await sendFailing();
    expect(answer.body["request_id"]).toMatch(/^[0-9a-f]{16}-[0-9a-z]+$/);
    expect(answer.headers.get("X-Request-Id")).toBe(answer.body["request_id"]);
    const lines = log.mock.calls.map(([line]): unknown => JSON.parse(String(line)));
    expect(lines).toEqual([{ event: "call_failed", request_id: answer.body["request_id"], coupon: "PROMO", code, cause: String(thrown) }]);
  });
});
