// The rule of a claim: which user gets a unit, and how the others are refused.

import { remaining, saleState, type Coupon, type Instant, type SaleState } from "./coupon.ts";

/** One unit given to one user. It is the same on every replay. */
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
  /** The hold ends at this instant: it no longer counts then. */
  readonly expiresAt: Instant;
  /** The Worker's name for the request that made it. */
  readonly attemptId: string;
};

/** What one user has of a coupon: at most one of the first two. `revoked` is the claim that this very request once made. */
export type UserClaim = { readonly claim: Claim | null; readonly hold: Hold | null; readonly revoked: Claim | null };

/** The facts that the rule needs. `keyOwner` is the user whose claim carries the same key. */
export type ClaimFacts = { readonly coupon: Coupon; readonly existing: UserClaim; readonly keyOwner: string | null };

export type ClaimVerdict =
  | { readonly ok: true; readonly claim: Claim; readonly replayed: boolean }
  | { readonly ok: false; readonly code: "already_claimed" | "claim_released"; readonly claim: Claim }
  | { readonly ok: false; readonly code: "idempotency_key_reused" }
  | Closed;

/** The refusals of a sale that is closed to new users. */
export const CLOSED_CODES = ["out_of_stock", "sale_ended", "sale_not_started", "sale_paused"] as const;
export type ClosedCode = (typeof CLOSED_CODES)[number];

/** The refusal of a new user; with `sale_not_started`, when the sale starts. */
export type Closed = {
  readonly ok: false;
  readonly code: ClosedCode;
  readonly startsAt?: Instant;
  readonly startsInMs?: number;
};

const CODE_OF_STATE = {
  ended: "sale_ended",
  scheduled: "sale_not_started",
  paused: "sale_paused",
  sold_out: "out_of_stock",
  open: null,
} as const satisfies Record<SaleState, ClosedCode | null>;

/** The refusal of every new user at `now`, or null while the sale is open. */
export function closedFor(coupon: Coupon, now: Instant): Closed | null {
  const code = CODE_OF_STATE[saleState(coupon, now)];
  if (code === null) return null;
  const { startsAt } = coupon;
  return code === "sale_not_started" && startsAt !== null ? { ok: false, code, startsAt, startsInMs: startsAt - now } : { ok: false, code };
}

/**
 * Judges one claim at `now`. The refusals stand in the order of the contract. What the user already has comes before what the
 * sale has left, so that a winner who asks again always gets their receipt.
 */
export function judgeClaim(request: ClaimRequest, { coupon, existing, keyOwner }: ClaimFacts, now: Instant): ClaimVerdict {
  const { claim, hold, revoked } = existing;
  if (claim !== null && isSameAttempt(request, claim)) return { ok: true, claim, replayed: true };
  if (claim !== null) return { ok: false, code: "already_claimed", claim };
  if (keyOwner !== null) return { ok: false, code: "idempotency_key_reused" };
  if (revoked !== null) return { ok: false, code: "claim_released", claim: revoked };
  const isHolder = hold !== null && now < hold.expiresAt;
  const closed = isHolder ? null : closedFor(coupon, now);
  return closed ?? { ok: true, claim: newClaim(request, coupon, isHolder, now), replayed: false };
}

function newClaim({ userId, key, attemptId }: ClaimRequest, coupon: Coupon, isHolder: boolean, now: Instant): Claim {
  // A unit that was held is not among those that remain.
  const remainingAfter = remaining(coupon) - (isHolder ? 0 : 1);
  return { userId, position: coupon.lastPosition + 1, claimedAt: now, remainingAfter, key, attemptId };
}

function isSameAttempt(request: ClaimRequest, claim: Claim): boolean {
  return request.attemptId === claim.attemptId || (request.key !== null && request.key === claim.key);
}
