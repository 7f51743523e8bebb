// The hints of busy coupons that this isolate has got.

import { LANE_HINTS_MAX } from "../domain/lane-limits.ts";
import type { HeldHint, LaneHint } from "../domain/lanes.ts";

const hints = new Map<string, HeldHint>();

/** Records the hint of an answer. An answer without a hint changes nothing: a hint ends by time. */
export function recordHint(name: string, hint: LaneHint | undefined): void {
  if (hint === undefined) return;
  // A full memory is cleared. Busy coupons soon return to it.
  if (hints.size >= LANE_HINTS_MAX && !hints.has(name)) hints.clear();
  hints.set(name, { ...hint, receivedAt: Date.now() });
}

/** Returns the last hint of coupon `name`, or null. It may have lapsed. */
export function hintOf(name: string): HeldHint | null {
  return hints.get(name) ?? null;
}
