// The rule of a change: which settings of a coupon an operator may change, and to what.

import { hasSameSettings, type Changeable, type Coupon } from "./coupon.ts";

/** The new settings. An absent field keeps its value. Null leaves the window open at that end. */
export type Change = Partial<Changeable>;

export type ChangeVerdict =
  /** If nothing changes, `coupon` is the same object as before. */
  | { readonly ok: true; readonly coupon: Coupon }
  | { readonly ok: false; readonly code: "coupon_archived" }
  | { readonly ok: false; readonly code: "amount_below_claimed"; readonly amountMin: number }
  /** The window would end before it starts. */
  | { readonly ok: false; readonly code: "invalid_request" };

/** Judges one change. The coupon must not be archived. The amount must cover claimed and held units, and the window must not be empty. */
export function judgeChange(change: Change, before: Coupon): ChangeVerdict {
  if (before.archivedAt !== null) return { ok: false, code: "coupon_archived" };
  const coupon = { ...before, ...change };
  const amountMin = before.claimed + before.held;
  if (coupon.startsAt !== null && coupon.endsAt !== null && coupon.endsAt <= coupon.startsAt) return { ok: false, code: "invalid_request" };
  if (coupon.amount < amountMin) return { ok: false, code: "amount_below_claimed", amountMin };
  return { ok: true, coupon: hasSameSettings(coupon, before) ? before : coupon };
}
