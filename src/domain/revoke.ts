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

/** What the user has and had. `past` has the last revoked claim first. */
export type RevokeFacts = { readonly claims: readonly Claim[]; readonly past: readonly RevokedClaim[] };

/**
 * Judges one revoke at `now`. Without a position it is about the user's last claim. A repeated call returns
 * the claim that is revoked, and changes nothing.
 */
export function judgeRevoke({ position }: RevokeRequest, { claims, past }: RevokeFacts, now: Instant): RevokeVerdict {
  const isMeant = (claim: Claim): boolean => position === null || claim.position === position;
  const last = claims.at(-1);
  if (last === undefined) {
    const revoked = past.find(({ claim }) => isMeant(claim));
    return revoked === undefined ? { ok: false, code: "claim_not_found" } : { ok: true, revoked };
  }
  const claim = claims.findLast(isMeant);
  return claim === undefined ? { ok: false, code: "position_mismatch", claim: last } : { ok: true, revoked: { claim, revokedAt: now } };
}
