// The rule of a claim: which user gets a unit, and how the others are refused.

import { remaining, saleState, type Coupon, type Instant, type SaleState } from "./coupon.ts";

/** One unit given to one user. A replay returns the same claim. */
export type Claim = {
  readonly userId: string;
  /** The 1-based order of the grant. */
  readonly position: number;
  readonly claimedAt: Instant;
  /** Units left after this grant. */
  readonly remainingAfter: number;
  /** The caller's `Idempotency-Key`, if it sent one. */
  readonly key: string | null;
  /** The Worker's name for the request that was granted. The Worker's own retries send the same one. */
  readonly attemptId: string;
};

/** The request of one user for one unit. */
export type ClaimRequest = Pick<Claim, "userId" | "key" | "attemptId">;

/** A unit kept for one user. */
export type Hold = {
  readonly userId: string;
  readonly heldAt: Instant;
  /** At this instant the hold no longer counts. */
  readonly expiresAt: Instant;
  /** The Worker's name for the request that made the hold. */
  readonly attemptId: string;
};

/** What a user has: claims in the order of their positions, and a hold. */
export type UserClaim = {
  readonly claims: readonly Claim[];
  /** The claim that keeps the user from a further unit. */
  readonly inTheWay: Claim | null;
  readonly hold: Hold | null;
  /** The revoked claim of this same request. */
  readonly revoked: Claim | null;
};

/** Returns what a user with these claims has, without a hold. A user gets at most one unit. */
export function userClaimOf(claims: readonly Claim[]): UserClaim {
  return { claims, inTheWay: claims[0] ?? null, hold: null, revoked: null };
}

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

/** The refusal of a new user. `sale_not_started` has the start and the milliseconds until then. */
export type Closed = {
  readonly ok: false;
  readonly code: ClosedCode;
  readonly startsAt?: Instant;
  readonly startsInMs?: number;
};

const CODE_OF_STATE = {
  archived: "sale_ended",
  ended: "sale_ended",
  scheduled: "sale_not_started",
  paused: "sale_paused",
  sold_out: "out_of_stock",
  open: null,
} as const satisfies Record<SaleState, ClosedCode | null>;

/** Returns the refusal of every new user at `now`, or null while the sale is open. */
export function closedFor(coupon: Coupon, now: Instant): Closed | null {
  const code = CODE_OF_STATE[saleState(coupon, now)];
  if (code === null) return null;
  const { startsAt } = coupon;
  return code === "sale_not_started" && startsAt !== null ? { ok: false, code, startsAt, startsInMs: startsAt - now } : { ok: false, code };
}

/**
 * Judges one claim at `now`. The refusals stand in the order of the API contract. The user's own claim comes
 * before the state of the sale. So a winner who retries always gets the receipt.
 */
export function judgeClaim(request: ClaimRequest, { coupon, existing, keyOwner }: ClaimFacts, now: Instant): ClaimVerdict {
  const { claims, inTheWay, hold, revoked } = existing;
  const made = claims.find((claim) => isSameAttempt(request, claim));
  if (made !== undefined) return { ok: true, claim: made, replayed: true };
  if (inTheWay !== null) return { ok: false, code: "already_claimed", claim: inTheWay };
  if (keyOwner !== null) return { ok: false, code: "idempotency_key_reused" };
  if (revoked !== null) return { ok: false, code: "claim_released", claim: revoked };
  const isHolder = hold !== null && now < hold.expiresAt;
  const closed = isHolder ? null : closedFor(coupon, now);
  return closed ?? { ok: true, claim: newClaim(request, coupon, isHolder, now), replayed: false };
}

function newClaim({ userId, key, attemptId }: ClaimRequest, coupon: Coupon, isHolder: boolean, now: Instant): Claim {
  // The unit of a hold was subtracted when it was held.
  const remainingAfter = remaining(coupon) - (isHolder ? 0 : 1);
  return { userId, position: coupon.lastPosition + 1, claimedAt: now, remainingAfter, key, attemptId };
}

function isSameAttempt(request: ClaimRequest, claim: Claim): boolean {
  return request.attemptId === claim.attemptId || (request.key !== null && request.key === claim.key);
}
