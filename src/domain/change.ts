// The rule of a change: what an operator may set a coupon to.

import type { Coupon, Settings } from "./coupon.ts";

/** What an operator sets. Every field is absolute; an absent field stays as it is; null leaves the window open at that end. */
export type Change = Partial<Settings & { readonly paused: boolean }>;

const FIELDS = ["amount", "startsAt", "endsAt", "paused", "holdSecondsMax", "holdsMax"] as const satisfies readonly (keyof Change)[];

export type ChangeVerdict =
  /** `coupon` is the same object as before where nothing changes. */
  | { readonly ok: true; readonly coupon: Coupon }
  | { readonly ok: false; readonly code: "amount_below_claimed"; readonly amountMin: number }
  /** The window would end before it starts. */
  | { readonly ok: false; readonly code: "invalid_request" };

/** Judges one change. Units that are claimed or held stay in the amount, and a window has to last. */
export function judgeChange(change: Change, before: Coupon): ChangeVerdict {
  const coupon = { ...before, ...change };
  const amountMin = before.claimed + before.held;
  if (coupon.startsAt !== null && coupon.endsAt !== null && coupon.endsAt <= coupon.startsAt) return { ok: false, code: "invalid_request" };
  if (coupon.amount < amountMin) return { ok: false, code: "amount_below_claimed", amountMin };
  const isSame = FIELDS.every((field) => coupon[field] === before[field]);
  return { ok: true, coupon: isSame ? before : coupon };
}
