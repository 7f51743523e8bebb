// The rule of a create for a name that is taken.

import { hasSameSettings, type Changeable } from "./coupon.ts";

/** The idempotency key and the settings that a coupon is created with. */
export type Creation = { readonly key: string | null; readonly settings: Changeable };

export type CreateVerdict = "replayed" | "idempotency_key_reused" | "coupon_exists";

/** Judges a create while there is a coupon. `made` is the creation of that coupon. */
export function judgeCreate(asked: Creation, made: Creation): CreateVerdict {
  if (asked.key === null || asked.key !== made.key) return "coupon_exists";
  return hasSameSettings(asked.settings, made.settings) ? "replayed" : "idempotency_key_reused";
}
