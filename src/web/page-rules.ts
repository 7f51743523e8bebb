// The rules of the page's script: the server's clock, when to try again, and when to poll. They are told the time.

import type { Instant } from "../domain/coupon.ts";

/** The server's clock as an offset to the page's, with the interval that the last samples leave for it. */
export type ServerClock = { readonly offsetMs: number; readonly errorMs: number };
export const UNKNOWN_CLOCK: ServerClock = { offsetMs: 0, errorMs: Infinity };

/**
 * Returns the clock after an answer with `serverTime`, which was computed between `sentAt` and `receivedAt` by the page's
 * clock. A better sample replaces a worse one. A sample that contradicts shows that a clock was set, or a device slept.
 */
export function sampled(clock: ServerClock, serverTime: Instant, sentAt: Instant, receivedAt: Instant): ServerClock {
  const sample = { offsetMs: serverTime - (sentAt + receivedAt) / 2, errorMs: Math.max(0, receivedAt - sentAt) / 2 };
  const isContradicted = Math.abs(sample.offsetMs - clock.offsetMs) > sample.errorMs + clock.errorMs;
  return isContradicted || sample.errorMs <= clock.errorMs ? sample : clock;
}

/** How long the page tries again by itself. */
export const RETRIES_MS_MAX = 15_000;
/** The Worker answers within about 10 seconds. */
export const REQUEST_MS_MAX = 11_000;

/** Refusals and failures that can change within seconds. `no_answer` is a lost request or a lost answer. */
const RETRIED: ReadonlySet<string> = new Set(["no_answer", "outcome_unknown", "internal_error", "unavailable", "rate_limited"]);
/** After these, the claim may have been granted. */
const MAYBE: ReadonlySet<string> = new Set(["no_answer", "outcome_unknown", "internal_error"]);
/** The object has judged the request. All other refusals come before the object. */
const JUDGED: ReadonlySet<string> = new Set([
  "granted",
  "replayed",
  "already_claimed",
  "idempotency_key_reused",
  "claim_released",
  "out_of_stock",
  "sale_ended",
  "sale_not_started",
  "sale_paused",
  "coupon_not_found",
]);

export type Tried = { readonly code: string; readonly retryAfterMs: number; readonly elapsedMs: number; readonly tryCount: number };

/** Returns how long to wait before the next try, or null to stop. `random` is from 0 to 1. */
export function retryWaitMs({ code, retryAfterMs, elapsedMs, tryCount }: Tried, random: number): number | null {
  if (!RETRIED.has(code)) return null;
  const waitMs = retryAfterMs + random * Math.min(5_000, 250 * 2 ** tryCount);
  return elapsedMs + waitMs < RETRIES_MS_MAX ? waitMs : null;
}

/** Whether the object has judged an attempt that ended with `code`. Then its hold is used up, or was over before. */
export function isJudged(code: string): boolean {
  return JUDGED.has(code);
}

/** Whether the attempt may have been granted, now that its latest try has ended with `code`. */
export function mayBeGranted(wasMaybe: boolean, code: string): boolean {
  return MAYBE.has(code) || (wasMaybe && !JUDGED.has(code));
}

export type Polling = {
  /** The countdown is at zero. */
  readonly isUrgent: boolean;
  readonly isHidden: boolean;
  /** The stream of events is open, so a poll only corrects the clock. */
  readonly isStreaming: boolean;
  readonly failureCount: number;
};

/** Returns how long to wait before the next poll. `random` is from 0 to 1, so that a crowd spreads. */
export function pollWaitMs({ isUrgent, isHidden, isStreaming, failureCount }: Polling, random: number): number {
  const backoffMs = failureCount === 0 ? 0 : Math.min(20_000, 500 * 2 ** failureCount);
  const calmMs = isStreaming ? 45_000 : 2_500;
  const waitMs = isUrgent ? 250 : isHidden ? 30_000 : calmMs;
  return (waitMs + backoffMs) * (0.75 + random / 2);
}
