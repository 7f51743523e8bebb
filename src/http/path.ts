// Names in paths: each is one percent-encoded segment.

import { nameFault } from "../domain/text.ts";
import type { Context } from "./context.ts";

/** Where `{name}` stands in `/api/coupons/{name}`, counted from the empty segment before the first slash. */
const COUPON_NAME_SEGMENT = 3;

/**
 * The coupon's name in the path, or null where what stands there can't be the name of any coupon. Decoded here and not by
 * the router, which takes malformed escapes as they are and so would give one coupon two names.
 */
export function couponNameIn(c: Context): string | null {
  try {
    const name = decodeURIComponent(new URL(c.req.url).pathname.split("/")[COUPON_NAME_SEGMENT] ?? "");
    return nameFault(name) === null ? name : null;
  } catch {
    return null;
  }
}
