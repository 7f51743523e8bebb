// Claims that this isolate has refused by itself. Their coupon's object counts them for the metrics.

import { CLOSED_CODES } from "../domain/claim.ts";
import type { RefusalCounts } from "../domain/claim-counts.ts";
import { REFUSALS_MAX, REFUSALS_REPORT_MS } from "../domain/limits.ts";
import { log } from "../log.ts";
import { callCoupon } from "./coupon-calls.ts";
import type { Env, Worker } from "./env.ts";
import { isWithin, pause } from "./time.ts";

type Pending = { readonly counts: { -readonly [Code in keyof RefusalCounts]: number }; scheduledAt: number };

// The coupons whose counts are not yet reported.
const pending = new Map<string, Pending>();

/** Counts a refused claim. A report follows, if no other call takes the counts to the object before. */
export function countRefusal({ env, waitUntil }: Worker, name: string, code: keyof RefusalCounts): void {
  const entry = pending.get(name) ?? { counts: {}, scheduledAt: 0 };
  entry.counts[code] = (entry.counts[code] ?? 0) + 1;
  const now = Date.now();
  // A report that is this late was cancelled with its request.
  if (isWithin(now - entry.scheduledAt, 3 * REFUSALS_REPORT_MS)) return;
  entry.scheduledAt = now;
  pending.set(name, entry);
  for (const oldest of pending.keys()) {
    if (pending.size <= REFUSALS_MAX) break;
    takeRefusals(env, oldest);
  }
  waitUntil(reportLater(env, name, entry));
}

async function reportLater(env: Env, name: string, entry: Pending): Promise<void> {
  await pause(REFUSALS_REPORT_MS);
  if (pending.get(name) === entry) await reportRefusals(env, name);
}

/** Reports the counts of coupon `name` now, if there are any. */
export async function reportRefusals(env: Env, name: string): Promise<void> {
  if (!pending.has(name)) return;
  const refused = takeRefusals(env, name);
  // No retry: it could count the same refusals twice.
  await callCoupon(env, name, (coupon) => coupon.countRefused(refused), "once", REFUSALS_REPORT_MS);
}

/**
 * Returns the counts of coupon `name`, resets them, and logs those by certificate. One log line for each such
 * refusal would cost more than the refusal.
 */
export function takeRefusals(env: Env, name: string): RefusalCounts {
  const counts = pending.get(name)?.counts ?? {};
  pending.delete(name);
  for (const code of CLOSED_CODES) {
    if (counts[code] !== undefined && env.REQUEST_LOG !== "off") log({ event: "refused_at_edge", coupon: name, code, count: counts[code] });
  }
  return counts;
}
