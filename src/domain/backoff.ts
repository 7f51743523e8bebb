// When a failed webhook is sent again, and when the courier gives up.

import type { Instant } from "./coupon.ts";
import { WEBHOOK_FAILING_MS_MAX, WEBHOOK_JITTER, WEBHOOK_PAUSES_MS } from "./delivery-limits.ts";

/** Returns the pause after the failed attempt `attemptCount` (1 is the first), in milliseconds. `random` is in [0, 1). */
export function nextAttemptMs(attemptCount: number, random: number): number {
  const pauseMs = WEBHOOK_PAUSES_MS[Math.max(attemptCount, 1) - 1] ?? WEBHOOK_PAUSES_MS.at(-1) ?? 0;
  return Math.round(pauseMs * (1 + WEBHOOK_JITTER * random));
}

/** Whether an endpoint has failed for so long that its messages are parked. */
export function isExhausted(failingSince: Instant, now: Instant): boolean {
  return now - failingSince >= WEBHOOK_FAILING_MS_MAX;
}
