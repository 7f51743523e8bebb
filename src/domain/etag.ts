// A coupon's entity tag: another one whenever anything that it shows has changed.

import { saleState, type Coupon, type Instant } from "./coupon.ts";

/** The strong entity tag of a coupon at `now`, in quotes (RFC 9110, 8.8.3). The state is in it because time alone changes it. */
export function etagOf(coupon: Coupon, now: Instant): string {
  return `"${coupon.epoch.slice(0, 8)}-${coupon.seq}-${saleState(coupon, now)}"`;
}

/** Whether the list of an `If-Match` header names `etag`; `*` names every one, a weak tag none (RFC 9110, 13.1.1). */
export function isMatched(ifMatch: string, etag: string): boolean {
  return ifMatch.trim() === "*" || tagsIn(ifMatch).includes(etag);
}

/** Whether the list of an `If-None-Match` header names `etag`; weak or not makes no difference (RFC 9110, 13.1.2). */
export function isNoneMatched(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.trim() === "*" || tagsIn(ifNoneMatch).some((tag) => opaque(tag) === opaque(etag));
}

function tagsIn(header: string): string[] {
  return header.split(",").map((tag) => tag.trim());
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, "");
}
