// The rule of a hold: for whom a unit is kept, and for how long.

import { closedFor, type Claim, type Closed, type Hold, type Own } from "./claim.ts";
import type { Coupon, Instant } from "./coupon.ts";

/** One user asks for a unit to be kept for them. */
export type HoldRequest = { readonly userId: string; readonly ttlMs: number; readonly attemptId: string };

export type HoldVerdict =
  | { readonly is: "held" }
  | { readonly is: "held_already"; readonly hold: Hold }
  | { readonly is: "already_claimed"; readonly claim: Claim }
  | Closed;

/** Judges one hold at `now`, in the order of a claim. A hold that runs is never made longer by asking again. */
export function judgeHold(coupon: Coupon, own: Own, now: Instant): HoldVerdict {
  if (own.claim !== null) return { is: "already_claimed", claim: own.claim };
  if (own.hold !== null && now < own.hold.expiresAt) return { is: "held_already", hold: own.hold };
  return closedFor(coupon, now) ?? { is: "held" };
}
