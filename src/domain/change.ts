// The rule of a change: what an operator may set a coupon to.

import type { Coupon, Settings } from "./coupon.ts";

/** What an operator sets; every field is absolute, and one that is absent stays as it is. A window's end of null is no end. */
export type Change = Partial<Settings & { readonly paused: boolean }>;

const FIELDS = ["amount", "startsAt", "endsAt", "paused", "holdSecondsMax", "holdsMax"] as const satisfies readonly (keyof Change)[];

export type ChangeVerdict =
  | { readonly is: "changed"; readonly coupon: Coupon }
  | { readonly is: "unchanged" }
  | { readonly is: "amount_below_claimed"; readonly amountMin: number }
  | { readonly is: "empty_window" };

/** Judges one change: units that were given or are held can't be taken off the offer, and a window has to last. */
export function judgeChange(change: Change, before: Coupon): ChangeVerdict {
  const coupon = { ...before, ...change };
  const amountMin = before.claimed + before.held;
  if (coupon.startsAt !== null && coupon.endsAt !== null && coupon.endsAt <= coupon.startsAt) return { is: "empty_window" };
  if (coupon.amount < amountMin) return { is: "amount_below_claimed", amountMin };
  const isSame = FIELDS.every((field) => coupon[field] === before[field]);
  return isSame ? { is: "unchanged" } : { is: "changed", coupon };
}
