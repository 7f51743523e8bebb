// The rule of a revoke: the operator revokes a claim, and its unit returns to the stock exactly once.

import type { Claim } from "./claim.ts";
import type { Instant } from "./coupon.ts";

export type RevokedClaim = { readonly claim: Claim; readonly revokedAt: Instant };

/** The user whose claim to revoke. With `position`, only the claim at that position is revoked. */
export type RevokeRequest = { readonly userId: string; readonly position: number | null };

export type RevokeVerdict =
  | { readonly ok: true; readonly revoked: RevokedClaim }
  | { readonly ok: false; readonly code: "position_mismatch"; readonly claim: Claim }
  | { readonly ok: false; readonly code: "claim_not_found" };

/**
 * Judges one revoke at `now`. `last` is the user's last revoked claim, or the revoked claim at the requested
 * position. A repeated call returns it and changes nothing.
 */
export function judgeRevoke({ position }: RevokeRequest, claim: Claim | null, last: RevokedClaim | null, now: Instant): RevokeVerdict {
  if (claim === null) return last === null ? { ok: false, code: "claim_not_found" } : { ok: true, revoked: last };
  if (position !== null && position !== claim.position) return { ok: false, code: "position_mismatch", claim };
  return { ok: true, revoked: { claim, revokedAt: now } };
}
