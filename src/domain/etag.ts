// A coupon's entity tag, and the preconditions that name it.

import { saleState, type Coupon, type Instant } from "./coupon.ts";

/** The headers `If-Match` and `If-None-Match` of a request. A missing header is null. */
export type Precondition = { readonly ifMatch: string | null; readonly ifNoneMatch: string | null };

/** What a coupon's representation has besides the coupon: nothing, or all users with a claim. */
export type Part = "coupon" | "claimants";

/**
 * Returns the strong entity tag of a coupon at `now`, in quotes (RFC 9110, 8.8.3). The state is a part of it,
 * because time alone can change the state. Each representation has a tag of its own.
 */
export function etagOf(coupon: Coupon, now: Instant, part: Part = "coupon"): string {
  return `"${coupon.epoch.slice(0, 8)}-${coupon.seq}-${saleState(coupon, now)}${part === "claimants" ? "-claimants" : ""}"`;
}

/** Returns the status of a read of a representation with the tag `etag` (RFC 9110, 13.2.2). */
export function readStatusOf(precondition: Precondition | null, etag: string): 200 | 304 | 412 {
  if (precondition === null) return 200;
  if (!meetsIfMatch(precondition, etag)) return 412;
  return meetsIfNoneMatch(precondition, etag) ? 200 : 304;
}

/** Whether a request with `precondition` may change `coupon` at `now`. It may name any representation. */
export function isMet(precondition: Precondition | null, coupon: Coupon, now: Instant): boolean {
  if (precondition === null) return true;
  const etags = [etagOf(coupon, now, "coupon"), etagOf(coupon, now, "claimants")];
  return etags.some((etag) => meetsIfMatch(precondition, etag)) && etags.every((etag) => meetsIfNoneMatch(precondition, etag));
}

/** Whether `If-Match` is absent, or names `etag`. A weak tag never matches (RFC 9110, 13.1.1). */
function meetsIfMatch({ ifMatch }: Precondition, etag: string): boolean {
  return ifMatch === null || names(ifMatch, (tag) => tag === etag && !tag.startsWith("W/"));
}

/** Whether `If-None-Match` is absent, or does not name `etag`. Weak tags match too (RFC 9110, 13.1.2). */
function meetsIfNoneMatch({ ifNoneMatch }: Precondition, etag: string): boolean {
  return ifNoneMatch === null || !names(ifNoneMatch, (tag) => opaque(tag) === opaque(etag));
}

function names(header: string, isTag: (tag: string) => boolean): boolean {
  return header.trim() === "*" || header.split(",").some((tag) => isTag(tag.trim()));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, "");
}
