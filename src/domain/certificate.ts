// A certificate lets an isolate refuse users outside a bypass set for a moment, without calling the object.

import { bytesOf, mayContain, type BloomFilter } from "./bloom-filter.ts";
import type { RefusalCounts } from "./claim-counts.ts";
import { closedFor, type ClosedCode } from "./claim.ts";
import type { Coupon, Instant } from "./coupon.ts";
import { pseudonymOf } from "./pseudonym.ts";
import { CERTIFICATE_MS_MAX, LEASE_MARGIN_MS } from "./limits.ts";

/** How a coupon refuses every new user. `startsAt` is set with `sale_not_started` only. */
export type Statement = { readonly code: ClosedCode; readonly startsAt: Instant | null };

/** States that `code` is the answer outside the bypass set, for `validForMs` after the request. */
export type Certificate = Statement & {
  readonly epoch: string;
  readonly seq: number;
  readonly validForMs: number;
  /** With `sale_not_started`: milliseconds until the start. Otherwise 0. */
  readonly startsInMs: number;
  /** True while units are held: a holder can claim with a new key, so only the object can judge keys. */
  readonly isAnyKeyNew: boolean;
  /** Set if users were erased: then the bypass set can have their pseudonyms. */
  readonly erasureKey: string | null;
  /** The seq of the last change of the bypass set. */
  readonly bypassSeq: number;
  /**
   * The members that {@link userMember} and {@link keyMember} name. It is null if the isolate already has the
   * set of this epoch and `bypassSeq`.
   */
  readonly bypass: BloomFilter | null;
};

/** The request of an isolate for a certificate. */
export type CertificateRequest = {
  /** Names the bypass set that the isolate has, if any. */
  readonly known: Pick<Certificate, "epoch" | "bypassSeq"> | null;
  /** The claims that the isolate has refused and not yet reported. */
  readonly refused: RefusalCounts;
};

/** Returns how `coupon` refuses new users at `at`, or null while one of them can get a unit. */
export function statementOf(coupon: Coupon, at: Instant): Statement | null {
  const code = closedFor(coupon, at)?.code;
  if (code === undefined) return null;
  return { code, startsAt: code === "sale_not_started" ? coupon.startsAt : null };
}

/** Returns until when the statement stays true if only time passes. */
function trueUntil(coupon: Coupon, { code }: Statement): Instant {
  if (code === "sale_ended") return Infinity;
  if (code === "sale_not_started") return coupon.startsAt ?? Infinity;
  const endsAt = coupon.endsAt ?? Infinity;
  // A hold that expires returns its unit to the stock.
  return code === "sale_paused" ? endsAt : Math.min(endsAt, coupon.nextExpiryAt ?? Infinity);
}

/** Returns what `coupon` can certify at `at`, or null if nothing is certain for long enough. */
export function certifiable(coupon: Coupon, at: Instant): (Statement & { readonly validForMs: number }) | null {
  const statement = statementOf(coupon, at);
  if (statement === null) return null;
  const validForMs = Math.min(CERTIFICATE_MS_MAX, trueUntil(coupon, statement) - at - LEASE_MARGIN_MS);
  return validForMs > 0 ? { ...statement, validForMs } : null;
}

/** Returns the instant from which on no isolate uses a certificate issued at `at`, clock errors included. */
export function leaseEnd(at: Instant, validForMs: number): Instant {
  return at + validForMs + LEASE_MARGIN_MS;
}

/**
 * Whether changing `before` to `after` at `at` makes a certificate false that may be in use until
 * `leaseUntil`. `after` is null for a deletion. No certificate exists for an open coupon.
 */
export function contradicts(before: Coupon, after: Coupon | null, at: Instant, leaseUntil: Instant): boolean {
  const stated = statementOf(before, at);
  if (stated === null || leaseUntil <= at) return false;
  const next = after === null ? null : statementOf(after, at);
  if (after === null || next === null || next.code !== stated.code || next.startsAt !== stated.startsAt) return true;
  return trueUntil(after, next) < Math.min(trueUntil(before, stated), leaseUntil);
}

/** A certificate in an isolate. `requestedAt` is by the isolate's own clock. */
export type HeldCertificate = Omit<Certificate, "bypass"> & {
  readonly requestedAt: Instant;
  readonly mayContain: (member: string) => boolean;
  /** The memory that its bypass set takes. */
  readonly bytes: number;
};

/**
 * Returns the certificate as its isolate keeps it after `before`. A certificate without a bypass set uses the
 * set of `before`, if epoch and `bypassSeq` are equal. Otherwise returns null.
 */
export function received({ bypass, ...stated }: Certificate, before: HeldCertificate | null, requestedAt: Instant): HeldCertificate | null {
  if (bypass !== null) return { ...stated, requestedAt, mayContain: mayContain(bypass), bytes: bytesOf(bypass) };
  if (before === null || before.epoch !== stated.epoch || before.bypassSeq !== stated.bypassSeq) return null;
  return { ...stated, requestedAt, mayContain: before.mayContain, bytes: before.bytes };
}

/**
 * With `sale_not_started`: when the sale starts, and in how many milliseconds. The count begins at the
 * request, which is before the object's answer. So the result is never too late.
 */
export function startAt({ startsAt, startsInMs, requestedAt }: HeldCertificate, now: Instant) {
  return startsAt === null ? {} : { startsAt, startsInMs: Math.max(1, startsInMs - (now - requestedAt)) };
}

/** The user of a claim or a hold, and the idempotency key of the claim, if any. */
export type Asker = { readonly userId: string; readonly key: string | null };

/** Whether an isolate may refuse `asker` by `certificate` at `now`. This is the one rule of the edge. */
export function covers(certificate: HeldCertificate, { userId, key }: Asker, now: Instant): boolean {
  const ageMs = now - certificate.requestedAt;
  // If the clock went back behind the request, the age is unknown.
  if (ageMs < 0 || ageMs >= certificate.validForMs) return false;
  const { erasureKey } = certificate;
  if (certificate.mayContain(userMember(userId))) return false;
  if (erasureKey !== null && certificate.mayContain(userMember(pseudonymOf(erasureKey, userId)))) return false;
  return key === null || !(certificate.isAnyKeyNew || certificate.mayContain(keyMember(key)));
}

/** Returns the member of the bypass set that stands for a user. */
export function userMember(userId: string): string {
  return `u${userId}`;
}

/** Returns the member that stands for a key in use, because the key has a refusal of its own. */
export function keyMember(key: string): string {
  return `k${key}`;
}
