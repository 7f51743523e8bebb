// A certificate: for a moment, an isolate may refuse every user outside a bypass set in the coupon's name.

import { bytesOf, mayContain, type BloomFilter } from "./bloom-filter.ts";
import { closedFor, type ClosedCode } from "./claim.ts";
import type { Coupon, Instant } from "./coupon.ts";
import { CERTIFICATE_MS_MAX, LEASE_MARGIN_MS } from "./limits.ts";

/** How a coupon answers every new user: the refusal, and with `sale_not_started` the start that it names. */
export type Statement = { readonly code: ClosedCode; readonly startsAt: Instant | null };

/** States that `code` is the answer to every user and key outside the bypass set, for `validForMs` after the request. */
export type Certificate = Statement & {
  readonly epoch: string;
  readonly seq: number;
  readonly validForMs: number;
  /** With `sale_not_started`: the time until the start. */
  readonly startsInMs: number;
  /** While units are held, a holder's claim can bring a new key into use. Then the object judges every claim with a key. */
  readonly isAnyKeyNew: boolean;
  /** The seq at which the bypass set changed last. */
  readonly bypassSeq: number;
  /** See {@link userMember} and {@link keyMember}; null where the isolate has the set of this epoch and `bypassSeq`. */
  readonly bypass: BloomFilter | null;
};

/** What an isolate sends with its request for a certificate. */
export type CertificateRequest = {
  /** The bypass set that the isolate has. */
  readonly known: Pick<Certificate, "epoch" | "bypassSeq"> | null;
  /** Claims that certificates refused in the isolate since its last request. */
  readonly refused: Readonly<Partial<Record<ClosedCode, number>>>;
};

/** How `coupon` answers new users at `at`; null while one of them can get a unit. */
export function statementOf(coupon: Coupon, at: Instant): Statement | null {
  const code = closedFor(coupon, at)?.code;
  if (code === undefined) return null;
  return { code, startsAt: code === "sale_not_started" ? coupon.startsAt : null };
}

/** Until when the statement of `coupon` at `at` stays true if only time passes. */
function trueUntil(coupon: Coupon, { code }: Statement): Instant {
  if (code === "sale_ended") return Infinity;
  if (code === "sale_not_started") return coupon.startsAt ?? Infinity;
  const endsAt = coupon.endsAt ?? Infinity;
  // A hold that expires returns its unit.
  return code === "sale_paused" ? endsAt : Math.min(endsAt, coupon.nextExpiryAt ?? Infinity);
}

/** What `coupon` can certify at `at`, and for how many milliseconds; null where nothing is certain for long enough. */
export function certifiable(coupon: Coupon, at: Instant): (Statement & { readonly validForMs: number }) | null {
  const statement = statementOf(coupon, at);
  if (statement === null) return null;
  const validForMs = Math.min(CERTIFICATE_MS_MAX, trueUntil(coupon, statement) - at - LEASE_MARGIN_MS);
  return validForMs > 0 ? { ...statement, validForMs } : null;
}

/** The instant at which a certificate issued at `at` is certainly out of use, however the isolate's clock has moved. */
export function leaseEnd(at: Instant, validForMs: number): Instant {
  return at + validForMs + LEASE_MARGIN_MS;
}

/**
 * Whether turning `before` into `after` (null where it is deleted) at `at` makes false what certificates in use until `leaseUntil`
 * may state. They state nothing of a coupon that is open.
 */
export function contradicts(before: Coupon, after: Coupon | null, at: Instant, leaseUntil: Instant): boolean {
  const stated = statementOf(before, at);
  if (stated === null || leaseUntil <= at) return false;
  const next = after === null ? null : statementOf(after, at);
  if (after === null || next === null || next.code !== stated.code || next.startsAt !== stated.startsAt) return true;
  return trueUntil(after, next) < Math.min(trueUntil(before, stated), leaseUntil);
}

/** A certificate in an isolate, which requested it at `requestedAt` by its own clock. */
export type HeldCertificate = Omit<Certificate, "bypass"> & {
  readonly requestedAt: Instant;
  readonly mayContain: (member: string) => boolean;
  /** What its bypass set takes in memory. */
  readonly bytes: number;
};

/**
 * A certificate as its isolate holds it, which held `before`. One without a bypass set goes with the set of the epoch and `bypassSeq`
 * that it names, and with no other: null where the isolate does not have that one.
 */
export function received({ bypass, ...stated }: Certificate, before: HeldCertificate | null, requestedAt: Instant): HeldCertificate | null {
  if (bypass !== null) return { ...stated, requestedAt, mayContain: mayContain(bypass), bytes: bytesOf(bypass) };
  if (before === null || before.epoch !== stated.epoch || before.bypassSeq !== stated.bypassSeq) return null;
  return { ...stated, requestedAt, mayContain: before.mayContain, bytes: before.bytes };
}

/** With `sale_not_started`: when the sale starts, and in how many milliseconds. The object answered after the request, so not too late. */
export function startAt({ startsAt, startsInMs, requestedAt }: HeldCertificate, now: Instant) {
  return startsAt === null ? {} : { startsAt, startsInMs: Math.max(1, startsInMs - (now - requestedAt)) };
}

/** The user of a claim or a hold, and the key of the claim, if any. */
export type Asker = { readonly userId: string; readonly key: string | null };

/** Whether the isolate that holds `certificate` may answer `asker` with it at `now`. The one rule of the edge. */
export function covers(certificate: HeldCertificate, { userId, key }: Asker, now: Instant): boolean {
  const ageMs = now - certificate.requestedAt;
  // A clock that went back behind the request can't tell the age.
  if (ageMs < 0 || ageMs >= certificate.validForMs) return false;
  if (certificate.mayContain(userMember(userId))) return false;
  return key === null || !(certificate.isAnyKeyNew || certificate.mayContain(keyMember(key)));
}

/** A user, as the bypass set lists them. */
export function userMember(userId: string): string {
  return `u${userId}`;
}

/** A caller's key, as the bypass set lists it: another user's claim with it is refused because of the key. */
export function keyMember(key: string): string {
  return `k${key}`;
}
