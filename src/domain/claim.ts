// The rule of a claim: who gets a unit, and what everybody else is told.

import { remaining, saleState, type Coupon, type Instant } from "./coupon.ts";

/** One unit given to one user: what was written down when it was granted, the same on every replay. */
export type Claim = {
  readonly userId: string;
  /** 1-based order of the grant. */
  readonly position: number;
  readonly claimedAt: Instant;
  /** Units that were left once it was granted. */
  readonly remainingAfter: number;
  /** The caller's `Idempotency-Key`, if it sent one. */
  readonly key: string | null;
  /** The Worker's name for the request that was granted, the same over its own retries. */
  readonly attemptId: string;
};

/** One user asks for one unit. */
export type ClaimRequest = Pick<Claim, "userId" | "key" | "attemptId">;

/** All that the rule has to know. `own` is what this user has; `keyOwner` is the user whose claim carries the same key. */
export type ClaimFacts = {
  readonly coupon: Coupon;
  readonly own: Claim | null;
  readonly keyOwner: string | null;
};

export type ClaimVerdict =
  | { readonly is: "granted" }
  | { readonly is: "replayed"; readonly claim: Claim }
  | { readonly is: "already_claimed"; readonly claim: Claim }
  | { readonly is: "idempotency_key_reused" | "sale_ended" | "sale_not_started" | "sale_paused" | "out_of_stock" };

const CLOSED = {
  ended: { is: "sale_ended" },
  scheduled: { is: "sale_not_started" },
  paused: { is: "sale_paused" },
  sold_out: { is: "out_of_stock" },
} as const;

/**
 * Judges one claim at `now`. The refusals stand in the order of the contract: what the user already has comes before
 * what the sale has left, so that a winner who asks again is never told that they lost.
 */
export function judgeClaim(request: ClaimRequest, { coupon, own, keyOwner }: ClaimFacts, now: Instant): ClaimVerdict {
  if (keyOwner !== null && keyOwner !== request.userId) return { is: "idempotency_key_reused" };
  if (own !== null) return { is: isSameAttempt(request, own) ? "replayed" : "already_claimed", claim: own };
  const state = saleState(coupon, now);
  return state === "open" ? { is: "granted" } : CLOSED[state];
}

/** The claim that a grant to `request` writes down. */
export function grantedClaim(request: ClaimRequest, coupon: Coupon, now: Instant): Claim {
  return {
    userId: request.userId,
    position: coupon.lastPosition + 1,
    claimedAt: now,
    remainingAfter: remaining(coupon) - 1,
    key: request.key,
    attemptId: request.attemptId,
  };
}

/** The coupon after `claim` was granted to somebody who held no unit of it. */
export function withClaim(coupon: Coupon, claim: Claim): Coupon {
  return { ...coupon, claimed: coupon.claimed + 1, lastPosition: claim.position, seq: coupon.seq + 1, clockAt: claim.claimedAt };
}

function isSameAttempt(request: ClaimRequest, claim: Claim): boolean {
  if (request.attemptId === claim.attemptId) return true;
  return request.key !== null && request.key === claim.key;
}
