// Which strings can be a name, a user's id or a text of a sale's page. All are stored exactly as given.

import { isPseudonym } from "./pseudonym.ts";
import { DESCRIPTION_CODE_POINTS_MAX, IMAGE_URL_LENGTH_MAX, TEXT_CODE_POINTS_MAX, TITLE_CODE_POINTS_MAX } from "./limits.ts";

/** Why a string is not accepted. If several reasons apply, the first one is reported. */
export type TextFault = "empty" | "blank" | "too_long" | "malformed";

// C0, DEL and C1 are invisible, and they break logs, CSV files and terminals.
const CONTROL_CHARACTER = /\p{Cc}/u;
const LINE_BREAK_OR_TAB = /[\n\r\t]/g;
// A browser reads a backslash as a slash, and two slashes begin another host.
const PATH = /^\/(?!\/)[!-[\]-~]*$/;

/** Returns why `text` can't be an id, or null if it can. New names and new users have one more rule each. */
export function textFault(text: string): TextFault | null {
  if (text === "") return "empty";
  return faultWithin(text, TEXT_CODE_POINTS_MAX);
}

/** As {@link textFault}, for a user who claims or holds. What looks like the pseudonym of an erased user is none. */
export function userIdFault(text: string): TextFault | null {
  return isPseudonym(text) ? "malformed" : textFault(text);
}

/** Returns why `text` can't be the title of a coupon, or null if it can. */
export function titleFault(text: string): TextFault | null {
  return faultWithin(text, TITLE_CODE_POINTS_MAX);
}

/** As {@link titleFault}, for a description, which may have line breaks and tabs. */
export function descriptionFault(text: string): TextFault | null {
  return faultWithin(text.replaceAll(LINE_BREAK_OR_TAB, " "), DESCRIPTION_CODE_POINTS_MAX);
}

/** Whether `text` is a path of this server, which no browser takes for another host. */
export function isImagePath(text: string): boolean {
  return text.length <= IMAGE_URL_LENGTH_MAX && PATH.test(text);
}

function faultWithin(text: string, codePointsMax: number): TextFault | null {
  if (text.trim() === "") return "blank";
  if (isLongerThan(text, codePointsMax)) return "too_long";
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
