// The rule of a hold: which user gets a hold, and for how long.

import { closedFor, type Claim, type Closed, type Hold, type UserClaim } from "./claim.ts";
import type { Coupon, Instant } from "./coupon.ts";

/** The request of one user to hold one unit. */
export type HoldRequest = { readonly userId: string; readonly ttlMs: number; readonly attemptId: string };

/** The facts that the rule needs. `isReleased` is true if this same request made a hold that was released. */
export type HoldFacts = { readonly coupon: Coupon; readonly existing: UserClaim; readonly isReleased: boolean };

export type HoldVerdict =
  /** `isNew` is true for every delivery of the request that made the hold, retries included. */
  | { readonly ok: true; readonly hold: Hold; readonly isNew: boolean }
  | { readonly ok: false; readonly code: "already_claimed"; readonly claim: Claim }
  | { readonly ok: false; readonly code: "hold_released" | "hold_limit_reached" }
  | { readonly ok: false; readonly code: "hold_too_long"; readonly ttlSecondsMax: number }
  | Closed;

/**
 * Judges one hold at `now`, in the same order as a claim. A second request never extends a hold. A closed
 * sale comes before a released hold and before the coupon's limits. Certificates need that order, because
 * they give every user outside the bypass set the same answer.
 */
export function judgeHold(request: HoldRequest, { coupon, existing, isReleased }: HoldFacts, now: Instant): HoldVerdict {
  const { userId, ttlMs, attemptId } = request;
  const { inTheWay, hold } = existing;
  if (inTheWay !== null) return { ok: false, code: "already_claimed", claim: inTheWay };
  if (hold !== null && now < hold.expiresAt) return { ok: true, hold, isNew: hold.attemptId === attemptId };
  const closed = closedFor(coupon, now);
  if (closed !== null) return closed;
  if (isReleased) return { ok: false, code: "hold_released" };
  const ttlSecondsMax = coupon.holdSecondsMax;
  if (ttlMs > ttlSecondsMax * 1000) return { ok: false, code: "hold_too_long", ttlSecondsMax };
  if (coupon.holdsMax !== null && coupon.held >= coupon.holdsMax) return { ok: false, code: "hold_limit_reached" };
  return { ok: true, hold: { userId, heldAt: now, expiresAt: now + ttlMs, attemptId }, isNew: true };
}
