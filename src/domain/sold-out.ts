// The sold-out certificate: for a moment, and for users who certainly have nothing, others may say what the coupon would say.

import { closedFor } from "./claim.ts";
import type { Coupon, Instant } from "./coupon.ts";
import { CERTIFICATE_MS_MAX } from "./limits.ts";
import type { Membership } from "./membership.ts";

/** What can be certified: refusals that stay true until somebody changes, returns or gives back something, or time does. */
export type CertifiedCode = "out_of_stock" | "sale_ended";

/** The coupon's word that everybody who is not among `members` is refused with `code`. */
export type Certificate = {
  readonly code: CertifiedCode;
  readonly epoch: string;
  readonly seq: number;
  /** How long it may be believed after it was asked for, in milliseconds: never more than {@link CERTIFICATE_MS_MAX}. */
  readonly validForMs: number;
  /** See {@link userMember} and {@link keyMember}; null where the asker has them already, those of this epoch and seq. */
  readonly members: Membership | null;
};

/** What is said along with a claim or a hold by who would like a certificate. */
export type CertificateWish = {
  /** Whose members the asker has. */
  readonly known: Pick<Certificate, "epoch" | "seq"> | null;
  /** How many claims it has refused by its certificates since it last asked: the coupon counts what it never sees. */
  readonly refused: Readonly<Partial<Record<CertifiedCode, number>>> | null;
};

/** What a coupon can certify at `at`, and for how long; null where somebody unknown may get a unit, or will soon. */
export function certifiable(coupon: Coupon, at: Instant): Pick<Certificate, "code" | "validForMs"> | null {
  const code = closedFor(coupon, at)?.is;
  if (code === "sale_ended") return { code, validForMs: CERTIFICATE_MS_MAX };
  if (code !== "out_of_stock") return null;
  // A hold that runs out returns a unit, and the end of the sale changes the word.
  const until = Math.min(coupon.nextExpiryAt ?? Infinity, coupon.endsAt ?? Infinity);
  return until > at ? { code, validForMs: Math.min(CERTIFICATE_MS_MAX, until - at) } : null;
}

/** A user, as certificates list them. */
export function userMember(userId: string): string {
  return `u${userId}`;
}

/** A caller's key, as certificates list them: another user with the same key is told that it was used. */
export function keyMember(key: string): string {
  return `k${key}`;
}
