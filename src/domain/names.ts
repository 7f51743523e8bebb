// Which strings can be a coupon's name or a user's id. Both are stored and compared exactly as given.

import { TEXT_CODE_POINTS_MAX } from "./limits.ts";

/** Why a string is not accepted. If several reasons apply, the first one is reported. */
export type TextFault = "empty" | "blank" | "too_long" | "malformed";

// C0, DEL and C1 are invisible, and they break logs, CSV files and terminals.
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Returns why `text` can't be a `user_id`, or null if it can. A coupon's name has one more rule. */
export function textFault(text: string): TextFault | null {
  if (text === "") return "empty";
  if (text.trim() === "") return "blank";
  if (isLongerThan(text, TEXT_CODE_POINTS_MAX)) return "too_long";
  if (CONTROL_CHARACTER.test(text) || !text.isWellFormed()) return "malformed";
  return null;
}

/**
 * As {@link textFault}, for a coupon's name. Refuses `.` and `..` too, because a URL path can't carry them.
 */
export function nameFault(name: string): TextFault | null {
  return name === "." || name === ".." ? "malformed" : textFault(name);
}

/** Counts code points only if the number of UTF-16 units, which is cheaper, does not decide. */
function isLongerThan(text: string, codePointsMax: number): boolean {
  if (text.length <= codePointsMax) return false;
  if (text.length > codePointsMax * 2) return true;
  return Array.from(text).length > codePointsMax;
}
