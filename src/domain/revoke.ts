// The rule of a revoke: the operator takes a claim back, and its unit returns to the stock exactly once.

import type { Claim } from "./claim.ts";
import type { Instant } from "./coupon.ts";

export type RevokedClaim = { readonly claim: Claim; readonly revokedAt: Instant };

/** Whose claim to revoke; with `position`, that claim and no later one of the same user. */
export type RevokeRequest = { readonly userId: string; readonly position: number | null };

export type RevokeVerdict =
  | { readonly ok: true; readonly revoked: RevokedClaim }
  | { readonly ok: false; readonly code: "position_mismatch"; readonly claim: Claim }
  | { readonly ok: false; readonly code: "claim_not_found" };

/**
 * Judges one revoke at `now`. `last` is this user's last revoked claim, or the one at the given position: a repeated call returns
 * it and changes nothing.
 */
export function judgeRevoke({ position }: RevokeRequest, claim: Claim | null, last: RevokedClaim | null, now: Instant): RevokeVerdict {
  if (claim === null) return last === null ? { ok: false, code: "claim_not_found" } : { ok: true, revoked: last };
  if (position !== null && position !== claim.position) return { ok: false, code: "position_mismatch", claim };
  return { ok: true, revoked: { claim, revokedAt: now } };
}
