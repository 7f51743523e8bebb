// The rule of a hold: for whom a unit is kept, and for how long.

import { closedFor, type Claim, type Closed, type Hold, type Own } from "./claim.ts";
import type { Coupon, Instant } from "./coupon.ts";

/** One user asks for a unit to be kept for them. */
export type HoldRequest = { readonly userId: string; readonly ttlMs: number; readonly attemptId: string };

/** All that the rule has to know. `isReleased` says that this very request made a hold that was released since. */
export type HoldFacts = { readonly coupon: Coupon; readonly own: Own; readonly isReleased: boolean };

export type HoldVerdict =
  | { readonly is: "held" }
  | { readonly is: "held_already"; readonly hold: Hold }
  | { readonly is: "already_claimed"; readonly claim: Claim }
  | { readonly is: "hold_released" | "hold_too_long" | "hold_limit_reached" }
  | Closed;

/**
 * Judges one hold at `now`, in the order of a claim. A hold that runs is never made longer by asking again. A closed sale
 * comes before a released hold and the coupon's limits: a certificate answers every user outside its bypass set alike.
 */
export function judgeHold({ ttlMs }: HoldRequest, { coupon, own, isReleased }: HoldFacts, now: Instant): HoldVerdict {
  if (own.claim !== null) return { is: "already_claimed", claim: own.claim };
  if (own.hold !== null && now < own.hold.expiresAt) return { is: "held_already", hold: own.hold };
  const closed = closedFor(coupon, now);
  if (closed !== null) return closed;
  if (isReleased) return { is: "hold_released" };
  if (ttlMs > coupon.holdSecondsMax * 1000) return { is: "hold_too_long" };
  if (coupon.holdsMax !== null && coupon.held >= coupon.holdsMax) return { is: "hold_limit_reached" };
  return { is: "held" };
}
