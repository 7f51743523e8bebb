// Names in paths: each is one percent-encoded segment.

import { nameFault, textFault, type TextFault } from "../domain/names.ts";
import { refuse } from "./answers.ts";
import type { Context } from "./context.ts";
import { note } from "./request-log.ts";

// Where they stand in /api/coupons/{name}/claims/{user_id}, counted from the empty segment before the first slash.
const COUPON_NAME_SEGMENT = 3;
const USER_ID_SEGMENT = 5;

/** The coupon's name in the path, or null where what stands there can't be the name of any coupon. */
export function couponNameIn(c: Context): string | null {
  return segmentIn(c, COUPON_NAME_SEGMENT, nameFault);
}

/** The coupon and the user in the path, noted for the log, or the refusal to send where there can't be such a coupon or user. */
export function couponAndUserIn(c: Context): { readonly name: string; readonly userId: string } | Response {
  const [name, userId] = [couponNameIn(c), segmentIn(c, USER_ID_SEGMENT, textFault)];
  if (name === null) return refuse(c, "coupon_not_found");
  if (userId === null) return refuse(c, "claim_not_found");
  note(c, name, userId);
  return { name, userId };
}

/** Decoded here and not by the router, which takes malformed escapes as they are and so would give one thing two names. */
function segmentIn(c: Context, index: number, faultOf: (text: string) => TextFault | null): string | null {
  try {
    const text = decodeURIComponent(pathIn(c.req.url).split("/")[index] ?? "");
    return faultOf(text) === null ? text : null;
  } catch {
    return null;
  }
}

/**
 * The path as it was sent, which is what the router goes by. `URL` would take dots away and make slashes of backslashes, so that
 * another coupon would be named than the one that was asked for.
 */
function pathIn(url: string): string {
  return /^[^:]*:\/\/[^/]*([^?#]*)/.exec(url)?.[1] ?? "";
}
