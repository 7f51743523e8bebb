// The rule of a claim: who gets a unit, and what everybody else is told.

import { remaining, saleState, type Coupon, type Instant, type SaleState } from "./coupon.ts";

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

/** A unit kept for one user. */
export type Hold = {
  readonly userId: string;
  readonly heldAt: Instant;
  /** From this instant on it is nobody's. */
  readonly expiresAt: Instant;
  /** The Worker's name for the request that made it. */
  readonly attemptId: string;
};

/** What one user has of a coupon: at most one of the first two. `released` is the claim that this very request once made. */
export type Own = { readonly claim: Claim | null; readonly hold: Hold | null; readonly released: Claim | null };

/** All that the rule has to know. `keyOwner` is the user whose claim carries the same key. */
export type ClaimFacts = { readonly coupon: Coupon; readonly own: Own; readonly keyOwner: string | null };

export type ClaimVerdict =
  | { readonly is: "granted"; readonly fromHold: boolean }
  | { readonly is: "replayed" | "already_claimed" | "claim_released"; readonly claim: Claim }
  | { readonly is: "idempotency_key_reused" }
  | Closed;

/** What a sale that is not open is told as. */
export type Closed = { readonly is: "sale_ended" | "sale_not_started" | "sale_paused" | "out_of_stock" };

const CLOSED = {
  ended: { is: "sale_ended" },
  scheduled: { is: "sale_not_started" },
  paused: { is: "sale_paused" },
  sold_out: { is: "out_of_stock" },
  open: null,
} as const satisfies Record<SaleState, Closed | null>;

/** Why nobody new gets a unit at `now`, or null while somebody does. */
export function closedFor(coupon: Coupon, now: Instant): Closed | null {
  return CLOSED[saleState(coupon, now)];
}

/**
 * Judges one claim at `now`. The refusals stand in the order of the contract: what the user already has comes before
 * what the sale has left, so that a winner who asks again is never told that they lost.
 */
export function judgeClaim(request: ClaimRequest, { coupon, own, keyOwner }: ClaimFacts, now: Instant): ClaimVerdict {
  if (own.claim !== null) return { is: isSameAttempt(request, own.claim) ? "replayed" : "already_claimed", claim: own.claim };
  if (keyOwner !== null) return { is: "idempotency_key_reused" };
  if (own.released !== null) return { is: "claim_released", claim: own.released };
  if (own.hold !== null && now < own.hold.expiresAt) return { is: "granted", fromHold: true };
  return closedFor(coupon, now) ?? { is: "granted", fromHold: false };
}

/** The claim that a grant to `request` writes down. */
export function grantedClaim(request: ClaimRequest, coupon: Coupon, fromHold: boolean, now: Instant): Claim {
  return {
    userId: request.userId,
    position: coupon.lastPosition + 1,
    claimedAt: now,
    // A unit that was held is not among those that remain.
    remainingAfter: remaining(coupon) - (fromHold ? 0 : 1),
    key: request.key,
    attemptId: request.attemptId,
  };
}

function isSameAttempt(request: ClaimRequest, claim: Claim): boolean {
  if (request.attemptId === claim.attemptId) return true;
  return request.key !== null && request.key === claim.key;
}
