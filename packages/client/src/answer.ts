// What to do with an answer: the rule of docs/retrying.md, as pure functions.

import { isObject } from "./json.ts";
import type { Refusal, RefusalCode } from "./types.ts";

/**
 * An answer that was read to its end. `retryAfterMs` is 0 without the header. Its refusal is null with 2xx, and
 * where the server failed without a code.
 */
export type Answer = { readonly status: number; readonly refusal: Refusal | null; readonly retryAfterMs: number };

/**
 * - `done`: it happened.
 * - `refused`: the coupon judged the request. If an attempt with the same key had succeeded, the coupon would have
 *   answered as it did then.
 * - `not_judged`: refused before the coupon was asked. It says nothing about earlier attempts.
 * - `hidden`: refused by something in front of the server, such as a firewall. It may have hidden the server's answer.
 * - `try_later`: nothing happened, and the same request may succeed later.
 * - `unknown`: it may have happened.
 */
export type Verdict = "done" | "refused" | "not_judged" | "hidden" | "try_later" | "unknown";

const VERDICTS: Readonly<Partial<Record<RefusalCode, Verdict>>> = {
  outcome_unknown: "unknown",
  internal_error: "unknown",
  rate_limited: "try_later",
  unavailable: "try_later",
  misconfigured: "not_judged",
  invalid_request: "not_judged",
  payload_too_large: "not_judged",
  unauthorized: "not_judged",
  forbidden: "not_judged",
  origin_not_allowed: "not_judged",
  challenge_failed: "not_judged",
  not_found: "not_judged",
  method_not_allowed: "not_judged",
};

/** Judges an answer. Null is none, or half of one. */
export function judge(answer: Answer | null): Verdict {
  if (answer === null) return "unknown";
  const { refusal, status } = answer;
  if (refusal !== null && refusal.request_id === "" && HIDING.has(refusal.code)) return "hidden";
  if (refusal !== null && Object.hasOwn(VERDICTS, refusal.code)) return VERDICTS[refusal.code] ?? "refused";
  // A newer server has codes that are not listed.
  if (refusal !== null) return status === 429 ? "try_later" : status >= 500 ? "unknown" : "refused";
  return status >= 200 && status < 300 ? "done" : "unknown";
}

/** The codes of refusals by something in front of the server, such as a firewall, by status. */
const FOREIGN: Readonly<Record<number, RefusalCode>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  408: "outcome_unknown",
  413: "payload_too_large",
  429: "rate_limited",
};

/** A firewall can answer so when it does not like the server's answer. The others are of a wrong address or a limit. */
const HIDING: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["unauthorized", "forbidden", "invalid_request"]);

/** Returns the refusal in a body, or one for a redirect or a foreign 4xx. Null for 2xx and for a 5xx without a code. */
export function refusalIn(status: number, body: unknown): Refusal | null {
  // A browser shows a redirect as 0.
  if (status < 200 || (status >= 300 && status < 400)) return REDIRECTED;
  if (status < 300) return null;
  if (isRefusal(body)) return body;
  if (status >= 500) return null;
  return { error: `something in front of the server answered ${status}`, code: FOREIGN[status] ?? "invalid_request", request_id: "" };
}

const REDIRECTED: Refusal = {
  error: "the server redirects: call the address that it redirects to",
  code: "not_found",
  request_id: "",
};

/** A gateway has codes too, but no `request_id` and no `error`. */
function isRefusal(body: unknown): body is Refusal {
  return isObject(body) && ["error", "code", "request_id"].every((field) => typeof body[field] === "string");
}

const DAY_MS = 86_400_000;

/** Returns the wait that a `Retry-After` asks for, at most a day. It has seconds, or behind some proxies a date. */
export function retryAfterMsIn(header: string | null, now: number): number {
  const text = header?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? 1_000 * Number(text) : text.endsWith(" GMT") ? Date.parse(text) - now : 0;
  return Math.min(DAY_MS, Math.max(0, ms || 0));
}

const WAIT_MS = 100;
const WAIT_MS_MAX = 5_000;

/**
 * Returns how long to wait before the next attempt. `attempt` counts from 0, `random` is from 0 to 1. The random
 * part grows, so that callers that failed together do not come back together.
 */
export function waitMs(attempt: number, retryAfterMs: number, random: number): number {
  return retryAfterMs + random * Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** attempt);
}
