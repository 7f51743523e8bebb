// The calls between the Worker and a coupon's object. Arguments and results are plain values, which RPC can carry.

import type { Certificate, CertificateRequest } from "./certificate.ts";
import type { Change } from "./change.ts";
import type { Claim, ClaimRequest, ClosedCode, Hold } from "./claim.ts";
import type { Coupon, NewCoupon, SaleState } from "./coupon.ts";
import type { Precondition } from "./etag.ts";
import type { HoldRequest } from "./hold.ts";
import type { BulkOutcome, ClaimCounts, ClaimOutcome } from "./claim-counts.ts";
import type { RefusalCode } from "./refusals.ts";
import type { RevokedClaim, RevokeRequest } from "./revoke.ts";

/** The ledger's head when the answer was computed; 0 for a coupon that does not exist. */
type Seq = { readonly seq: number };

/** An expected "no" of the object, with what helps the caller. */
export type Refused<Code extends RefusalCode = RefusalCode> = Seq & {
  readonly ok: false;
  readonly code: Code;
  /** The claim that this user has (`already_claimed`, `position_mismatch`) or had (`claim_released`). */
  readonly claim?: Claim;
  /** With `sale_not_started`: when it starts, and how long that is from now. */
  readonly startsAt?: number;
  readonly startsInMs?: number;
  /** With `amount_below_claimed`: the lowest amount that is allowed. */
  readonly amountMin?: number;
  /** With `hold_too_long`: the longest hold that is allowed. */
  readonly ttlSecondsMax?: number;
};
type Done<Fields = unknown> = Seq & { readonly ok: true } & Fields;

/** The user has a unit; `replayed` when an earlier request with the same key got it. */
export type Granted = Done<{ readonly claim: Claim; readonly replayed: boolean }>;

/** A coupon at one instant. `claimedBy` is there on request: all users with a claim, in claim order. */
export type CouponView = Coupon & { readonly state: SaleState; readonly claimedBy?: readonly string[] };
export type Found = Done<{ readonly coupon: CouponView; readonly now: number }>;

/**
 * Where a page of claims begins: after `position`, which stands in the ledger at `seq` or later, of the coupon with this
 * `epoch`, or of whichever there is.
 */
export type Cursor = { readonly position: number; readonly seq: number; readonly epoch: string | null };
export type Page = Done<{ readonly claims: readonly Claim[]; readonly next: Cursor | null }>;

/** Storage failed, the mailbox is full, or a newer version wrote the tables; nothing was changed. Any call can end so. */
export type Failed = Refused<"unavailable">;
export type NoCoupon = Refused<"coupon_not_found">;
export type ClosedSale = Refused<ClosedCode>;

export type ClaimResult =
  | Granted
  | ClosedSale
  | NoCoupon
  | Failed
  | Refused<"already_claimed" | "idempotency_key_reused" | "claim_released" | "invalid_request">;
/** The part of one user in a bulk claim. */
export type BulkPart = Granted | ClosedSale | Refused<"already_claimed" | "claim_released">;
export type BulkClaimResult = Done<{ readonly results: readonly BulkPart[]; readonly remaining: number }> | NoCoupon | Failed;
export type CreateResult = Found | Failed | Refused<"coupon_exists" | "invalid_request">;
export type ReadResult = Found | NoCoupon | Failed;
export type ChangeResult = Found | NoCoupon | Failed | Refused<"amount_below_claimed" | "precondition_failed" | "invalid_request">;
export type DeleteResult = Done | NoCoupon | Failed | Refused<"precondition_failed">;
export type DoneResult = Done | NoCoupon | Failed;
export type HoldResult =
  | Done<{ readonly hold: Hold; readonly isNew: boolean; readonly remaining: number }>
  | ClosedSale
  | NoCoupon
  | Failed
  | Refused<"already_claimed" | "hold_released" | "hold_too_long" | "hold_limit_reached">;
export type ReleaseHoldResult = Done | NoCoupon | Failed;
/** `count` holds were released. */
export type ReleaseAllHoldsResult = Done<{ readonly count: number; readonly remaining: number }> | NoCoupon | Failed;
export type ListHoldsResult = Done<{ readonly holds: readonly Hold[]; readonly next: string | null }> | NoCoupon | Failed;
export type UserClaimResult = Done<{ readonly claim: Claim } | { readonly hold: Hold }> | NoCoupon | Failed | Refused<"claim_not_found">;
export type RevokeResult =
  | Done<{ readonly revoked: RevokedClaim; readonly remaining: number }>
  | NoCoupon
  | Failed
  | Refused<"claim_not_found" | "position_mismatch">;
export type ListClaimsResult = Page | NoCoupon | Failed;
export type MetricsResult = Done<{ readonly coupon: CouponView; readonly outcomes: ClaimCounts }> | NoCoupon | Failed;
/** A certificate, or null where there is none to issue right now. */
export type CertifyResult = Done<{ readonly certificate: Certificate | null }> | NoCoupon | Failed;

/** How a claim ended. */
export function outcomeOf(result: BulkPart): BulkOutcome;
export function outcomeOf(result: ClaimResult): ClaimOutcome;
export function outcomeOf(result: ClaimResult): ClaimOutcome {
  return result.ok ? (result.replayed ? "replayed" : "granted") : result.code;
}

/** The calls that a coupon's object answers. */
export type CouponCalls = {
  create(coupon: NewCoupon): Promise<CreateResult>;
  read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult>;
  /** Sets what the operator asks for, if the coupon's current entity tag meets `precondition`. */
  change(change: Change, precondition: Precondition | null): Promise<ChangeResult>;
  /** Removes everything, if the coupon's current entity tag meets `precondition`. */
  remove(precondition?: Precondition | null): Promise<DeleteResult>;
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Claims a unit for each of these users, in their order and in one transaction. `attemptId` names the attempt of each. */
  claimMany(userIds: readonly string[], attemptId: string): Promise<BulkClaimResult>;
  hold(request: HoldRequest): Promise<HoldResult>;
  /** Ends a user's hold, if there is one. */
  releaseHold(userId: string): Promise<ReleaseHoldResult>;
  /** Ends all holds. */
  releaseAllHolds(): Promise<ReleaseAllHoldsResult>;
  /** Running holds by user id, behind `after`. */
  listHolds(after: string, limit: number): Promise<ListHoldsResult>;
  /** The claim of one user, or the hold. */
  getUserClaim(userId: string): Promise<UserClaimResult>;
  revoke(request: RevokeRequest): Promise<RevokeResult>;
  /** Claims in the order of their positions. */
  listClaims(after: Cursor, limit: number): Promise<ListClaimsResult>;
  metrics(): Promise<MetricsResult>;
  certify(request: CertificateRequest): Promise<CertifyResult>;
};
