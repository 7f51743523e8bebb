// What may be a coupon's name or a user's id. Both are compared and stored exactly as given.

import { TEXT_CODE_POINTS_MAX } from "./limits.ts";

/** Why a string is not accepted, the most helpful reason first. */
export type TextFault = "empty" | "blank" | "too_long" | "malformed";

// C0, DEL and C1: they break logs, CSV files and terminals, and no person can see them.
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Returns why `text` can't be a `user_id` (or, with more rules, a name), or null when it can. */
export function textFault(text: string): TextFault | null {
  if (text === "") return "empty";
  if (text.trim() === "") return "blank";
  if (isLongerThan(text, TEXT_CODE_POINTS_MAX)) return "too_long";
  if (CONTROL_CHARACTER.test(text) || !text.isWellFormed()) return "malformed";
  return null;
}

/** As {@link textFault}, for a coupon's name: `.` and `..` are refused because no URL path can carry them. */
export function nameFault(name: string): TextFault | null {
  return name === "." || name === ".." ? "malformed" : textFault(name);
}

/** Counts code points only where the cheaper count of UTF-16 units can't decide. */
function isLongerThan(text: string, codePointsMax: number): boolean {
  if (text.length <= codePointsMax) return false;
  if (text.length > codePointsMax * 2) return true;
  return Array.from(text).length > codePointsMax;
}
