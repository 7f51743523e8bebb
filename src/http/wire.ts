// How the domain's values look on the wire: snake_case fields, times in UTC with milliseconds.

import type { Claim } from "../domain/claim.ts";
import { remaining, type Instant } from "../domain/coupon.ts";
import type { CouponView } from "../domain/messages.ts";

/** An instant as RFC 3339, in UTC with milliseconds. */
export function instant(at: Instant): string {
  return new Date(at).toISOString();
}

/** What a granted claim answers, the same on every replay. */
export function receipt(couponName: string, claim: Claim) {
  return { coupon_name: couponName, user_id: claim.userId, position: claim.position, claimed_at: instant(claim.claimedAt) };
}

/** A coupon as everybody may see it; with who holds its units where `claimedBy` is there. */
export function coupon(view: CouponView) {
  return {
    name: view.name,
    amount: view.amount,
    remaining_amount: remaining(view),
    state: view.state,
    starts_at: view.startsAt === null ? null : instant(view.startsAt),
    ends_at: view.endsAt === null ? null : instant(view.endsAt),
    paused: view.paused,
    created_at: instant(view.createdAt),
    ...(view.claimedBy === undefined ? {} : { claimed_by: view.claimedBy }),
  };
}
