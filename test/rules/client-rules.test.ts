// The rules of the client: what an answer means, how long to wait, how a call ends, and where an event of a stream ends.

import { expect, test } from "vitest";

import { judge, refusalIn, retryAfterMsIn, waitMs, type Verdict } from "../../packages/client/src/answer.ts";
import type { ClaimOutcome, HoldOutcome, RefusalCode, Status } from "../../packages/client/src/index.ts";
import { blockParser, newsIn } from "../../packages/client/src/events.ts";
import { claimRefused, holdRefused } from "../../packages/client/src/outcome.ts";
import { claimCoupon } from "../../src/http/routes/claims.ts";
import { holdUnit } from "../../src/http/routes/holds.ts";
import { REFUSALS } from "../../src/http/refusals.ts";

const CLAIM = { coupon_name: "c", user_id: "u", position: 1, claimed_at: "2026-11-27T09:00:00.000Z" };

/** For each code: what it means for the attempts, and how a claim and a hold end with it. */
const RULES = {
  outcome_unknown: ["unknown", "unknown", "unknown"],
  internal_error: ["unknown", "unknown", "unknown"],
  rate_limited: ["try_later", "rate_limited", "rate_limited"],
  unavailable: ["try_later", "unavailable", "unavailable"],
  misconfigured: ["not_judged", "unavailable", "unavailable"],
  invalid_request: ["not_judged", "invalid", "invalid"],
  payload_too_large: ["not_judged", "invalid", "invalid"],
  not_found: ["not_judged", "invalid", "invalid"],
  method_not_allowed: ["not_judged", "invalid", "invalid"],
  unauthorized: ["not_judged", "unauthorized", "unauthorized"],
  forbidden: ["not_judged", "forbidden", "forbidden"],
  origin_not_allowed: ["not_judged", "forbidden", "forbidden"],
  challenge_failed: ["not_judged", "challenge", "challenge"],
  coupon_not_found: ["refused", "not_found", "not_found"],
  already_claimed: ["refused", "already_claimed", "already_claimed"],
  idempotency_key_reused: ["refused", "key_reused", "invalid"],
  claim_released: ["refused", "claim_released", "invalid"],
  sale_ended: ["refused", "ended", "ended"],
  sale_not_started: ["refused", "not_started", "not_started"],
  sale_paused: ["refused", "paused", "paused"],
  out_of_stock: ["refused", "out_of_stock", "out_of_stock"],
  hold_released: ["refused", "invalid", "hold_released"],
  hold_too_long: ["refused", "invalid", "too_long"],
  hold_limit_reached: ["refused", "invalid", "limit_reached"],
  // Codes of operators, of reads, and of a newer server: they are final.
  coupon_exists: ["refused", "invalid", "invalid"],
  claim_not_found: ["refused", "invalid", "invalid"],
  position_mismatch: ["refused", "invalid", "invalid"],
  amount_below_claimed: ["refused", "invalid", "invalid"],
  coupon_archived: ["refused", "invalid", "invalid"],
  precondition_failed: ["refused", "invalid", "invalid"],
  backup_invalid: ["refused", "invalid", "invalid"],
  part_missing: ["refused", "invalid", "invalid"],
  webhook_not_found: ["refused", "invalid", "invalid"],
  webhook_limit_reached: ["refused", "invalid", "invalid"],
} as const satisfies Record<RefusalCode, readonly [Verdict, ClaimOutcome["outcome"], HoldOutcome["outcome"]]>;
const CODES = Object.keys(RULES) as RefusalCode[];

test.for(CODES)("the code %s has one meaning, and claims and holds end with it as documented", (code) => {
  const refusal = { error: "a sentence", code, request_id: "r-1", claim: CLAIM };
  const failure = { ok: false, maybeDone: false, retryAfterMs: 0, ...refusal } as const;
  expect([
    judge({ status: REFUSALS[code].status, refusal, retryAfterMs: 0 }),
    claimRefused(failure).outcome,
    holdRefused(failure).outcome,
  ]).toEqual(RULES[code]);
});

test("no refusal of a claim or hold by the coupon ends as an invalid request", () => {
  expect(claimCoupon.refusals.map((code) => RULES[code][1])).not.toContain("invalid");
  expect(holdUnit.refusals.map((code) => RULES[code][2])).not.toContain("invalid");
});

test.for([
  ["none, or half of one", null, null, "unknown"],
  ["201 with a body", 201, {}, "done"],
  ["204", 204, null, "done"],
  ["a redirect", 302, null, "not_judged"],
  ["a redirect in a browser", 0, null, "not_judged"],
  ["502 of a proxy", 502, null, "unknown"],
  ["503 with a body that is no refusal", 503, { message: "overloaded" }, "unknown"],
  ["401 of a gateway", 401, null, "hidden"],
  ["403 of a firewall", 403, null, "hidden"],
  ["418 of something else", 418, null, "hidden"],
  ["404 of another server", 404, { message: "?" }, "not_judged"],
  ["408 of a proxy", 408, null, "unknown"],
  ["429 of a proxy", 429, null, "try_later"],
  ["a code of a newer server", 409, { error: "", code: "something_new", request_id: "" }, "refused"],
  ["a code of a gateway", 409, { error: "", code: "something_new" }, "hidden"],
] as const)("an answer that is %s is judged by its status", ([, status, body, verdict]) => {
  expect(judge(status === null ? null : { status, refusal: refusalIn(status, body), retryAfterMs: 0 })).toBe(verdict);
});

test.for([
  [0, 0, 1, 100],
  [3, 0, 1, 800],
  [3, 0, 0, 0],
  [3, 2_000, 0.5, 2_400],
  [30, 0, 1, 5_000],
] as const)("attempt %i after Retry-After %i ms and randomness %d waits %i ms", ([attempt, retryAfterMs, random, ms]) => {
  expect(waitMs(attempt, retryAfterMs, random)).toBe(ms);
});

test.for([
  [null, 0],
  ["2", 2_000],
  [" 2 ", 2_000],
  ["Thu, 01 Jan 1970 00:00:09 GMT", 4_000],
  ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
  ["-2", 0],
  ["soon", 0],
  ["999999999999", 86_400_000],
] as const)("a Retry-After of %s at 5 s waits %i ms", ([header, ms]) => {
  expect(retryAfterMsIn(header, 5_000)).toBe(ms);
});

const AT_5 = "2026-11-27T09:00:05.000Z";
const AT_6 = "2026-11-27T09:00:06.000Z";
const LAST: Status = {
  name: "c",
  state: "open",
  amount: 2,
  remaining_amount: 1,
  held_amount: 0,
  starts_at: null,
  ends_at: null,
  server_time: AT_5,
  epoch: "e",
  seq: 5,
};

test.for([
  ["the same again", { server_time: AT_6 }, []],
  ["a later event", { seq: 6 }, ["status"]],
  ["a later event that sells out", { seq: 6, state: "sold_out" }, ["open to sold_out", "status"]],
  ["an earlier event of a slower isolate", { seq: 4, state: "scheduled", server_time: AT_6 }, []],
  ["a state that time has changed", { state: "ended", server_time: AT_6 }, ["open to ended", "status"]],
  ["the state before time changed it", { state: "scheduled", server_time: "2026-11-27T09:00:04.000Z" }, []],
  ["a new coupon of the same name", { epoch: "f", seq: 1, server_time: AT_6 }, ["status"]],
  ["the coupon that was there before", { epoch: "d", seq: 9, server_time: "2026-11-27T09:00:04.000Z" }, []],
] as const)("a snapshot that is %s yields what is new", ([, changed, expected]) => {
  const news = newsIn(LAST, { ...LAST, ...changed });
  expect(news.map((event) => (event.type === "state" ? `${event.from} to ${event.to}` : event.type))).toEqual(expected);
  expect(newsIn(null, { ...LAST, ...changed }).map(({ type }) => type)).toEqual(["status"]);
});

/** How a page handles each outcome. A missing case does not compile. */
function sentence(claimed: ClaimOutcome): string {
  switch (claimed.outcome) {
    case "granted":
    case "already_claimed":
    case "claim_released":
      return `number ${claimed.receipt.position}`;
    case "not_started":
      return `opens ${claimed.startsAt}`;
    case "rate_limited":
      return `try again in ${claimed.retryAfterMs} ms`;
    case "unauthorized":
    case "forbidden":
    case "challenge":
    case "invalid":
    case "unavailable":
      return claimed.maybeGranted ? "try again" : claimed.error;
    case "out_of_stock":
    case "paused":
    case "ended":
    case "key_reused":
    case "not_found":
    case "unknown":
      return claimed.error;
    default:
      return claimed satisfies never;
  }
}

test("a switch over the outcomes of a claim is exhaustive, and narrows each one", () => {
  const receipt = { ...CLAIM, remaining_amount: 0 };
  expect(sentence({ outcome: "granted", receipt, replayed: false })).toBe("number 1");
});

test("a stream is parsed alike, wherever it is cut", () => {
  const stream =
    'retry: 2000\r\nevent: state\r\nid: 2\r\ndata: {"a":1}\r\n\r\n: still here\n\nid: 3\ndata: 1\ndata:2\n\r\nevent: deleted\ndata: {}\n\nid: 9\ndata: half';
  const blocks = [
    { event: "state", data: '{"a":1}' },
    { event: "message", data: "1\n2" },
    { event: "deleted", data: "{}" },
  ];
  for (let at = 0; at <= stream.length; at += 1) {
    const parse = blockParser();
    expect([...parse(stream.slice(0, at)), ...parse(stream.slice(at))], `cut at ${at}`).toEqual(blocks);
  }
});
