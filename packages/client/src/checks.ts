// Whether an answer is about what was asked. A cache, a proxy or a mix-up can answer with something else.

import { isObject } from "./json.ts";
import type { Status } from "./types.ts";

/** Says whether a value is what was asked for. */
export type Check = (value: unknown) => boolean;

/** A user whose id the operator erased is named by this and a hash. */
const ERASED = "erased:";

/** Returns the check of a user's receipt. */
export function receiptOf(coupon: string, userId: string): Check {
  return (value) => isOf(value, coupon, userId) && Number.isInteger(value["position"]);
}

/** Returns the check of a user's hold. */
export function holdOf(coupon: string, userId: string): Check {
  return (value) => isOf(value, coupon, userId) && typeof value["expires_at"] === "string";
}

function isOf(value: unknown, coupon: string, userId: string): value is Readonly<Record<string, unknown>> {
  if (!isObject(value) || value["coupon_name"] !== coupon) return false;
  return value["user_id"] === userId || String(value["user_id"]).startsWith(ERASED);
}

/** Returns the check of a sale's snapshot. */
export function statusOf(coupon: string): (value: unknown) => value is Status {
  return (value): value is Status =>
    isObject(value) && value["name"] === coupon && Number.isInteger(value["seq"]) && typeof value["state"] === "string";
}
