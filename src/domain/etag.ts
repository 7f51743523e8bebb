// A coupon's entity tag, and the preconditions that name it.

import { saleState, type Coupon, type Instant } from "./coupon.ts";

/** The headers `If-Match` and `If-None-Match` of a request. A missing header is null. */
export type Precondition = { readonly ifMatch: string | null; readonly ifNoneMatch: string | null };

/**
 * Returns the strong entity tag of a coupon at `now`, in quotes (RFC 9110, 8.8.3). The state is a part of it,
 * because time alone can change the state.
 */
export function etagOf(coupon: Coupon, now: Instant): string {
  return `"${coupon.epoch.slice(0, 8)}-${coupon.seq}-${saleState(coupon, now)}"`;
}

/** Whether `If-Match` is absent, `*`, or names `etag`. A weak tag never matches (RFC 9110, 13.1.1). */
export function meetsIfMatch({ ifMatch }: Precondition, etag: string): boolean {
  return ifMatch === null || ifMatch.trim() === "*" || (!etag.startsWith("W/") && tagsIn(ifMatch).includes(etag));
}

/** Whether `If-None-Match` is absent or does not name `etag`. Weak tags match too (RFC 9110, 13.1.2). */
export function meetsIfNoneMatch({ ifNoneMatch }: Precondition, etag: string): boolean {
  return ifNoneMatch === null || !(ifNoneMatch.trim() === "*" || tagsIn(ifNoneMatch).some((tag) => opaque(tag) === opaque(etag)));
}

/** Whether a request with `precondition` may change the resource whose tag is `etag`. */
export function isMet(precondition: Precondition | null, etag: string): boolean {
  return precondition === null || (meetsIfMatch(precondition, etag) && meetsIfNoneMatch(precondition, etag));
}

function tagsIn(header: string): string[] {
  return header.split(",").map((tag) => tag.trim());
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, "");
}
