// Names in paths: each is one percent-encoded segment.

import { nameFault, textFault, type TextFault } from "../domain/text.ts";
import type { Context } from "./context.ts";

// Where they stand in /api/coupons/{name}/claims/{user_id}, counted from the empty segment before the first slash.
const COUPON_NAME_SEGMENT = 3;
const USER_ID_SEGMENT = 5;

/** The coupon's name in the path, or null where what stands there can't be the name of any coupon. */
export function couponNameIn(c: Context): string | null {
  return segmentIn(c, COUPON_NAME_SEGMENT, nameFault);
}

/** The user's id in the path, or null where what stands there can't be the id of any user. */
export function userIdIn(c: Context): string | null {
  return segmentIn(c, USER_ID_SEGMENT, textFault);
}

/** Decoded here and not by the router, which takes malformed escapes as they are and so would give one thing two names. */
function segmentIn(c: Context, index: number, faultOf: (text: string) => TextFault | null): string | null {
  try {
    const text = decodeURIComponent(new URL(c.req.url).pathname.split("/")[index] ?? "");
    return faultOf(text) === null ? text : null;
  } catch {
    return null;
  }
}
