// The rule of a release: the operator takes a claim back, and its unit returns to the stock exactly once.

import type { Claim } from "./claim.ts";
import type { Instant } from "./coupon.ts";

/** A claim that was taken back. */
export type Release = { readonly claim: Claim; readonly releasedAt: Instant };

/** Which claim to take back; with `position`, that one and no later one of the same user. */
export type ReleaseRequest = { readonly userId: string; readonly position: number | null };

export type ReleaseVerdict =
  | { readonly is: "released"; readonly claim: Claim }
  | { readonly is: "released_already"; readonly release: Release }
  | { readonly is: "position_mismatch"; readonly claim: Claim }
  | { readonly is: "claim_not_found" };

/** Judges one release. `last` is this user's last released claim, or the one at the asked position. */
export function judgeRelease({ position }: ReleaseRequest, own: Claim | null, last: Release | null): ReleaseVerdict {
  if (own !== null)
    return position === null || position === own.position ? { is: "released", claim: own } : { is: "position_mismatch", claim: own };
  return last === null ? { is: "claim_not_found" } : { is: "released_already", release: last };
}
