// What the Worker and a coupon's object say to each other. All of it is plain values, because that is what crosses RPC.

import type { Certificate, CertificateRequest } from "./certificate.ts";
import type { Change } from "./change.ts";
import type { Claim, ClaimRequest, ClosedCode, Hold } from "./claim.ts";
import type { Coupon, NewCoupon, SaleState } from "./coupon.ts";
import type { HoldRequest } from "./hold.ts";
import type { Outcome, ClaimCounts } from "./claim-counts.ts";
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

/** A unit went to the caller; `replayed` when that happened in an earlier request with the same key. */
export type Granted = Done<{ readonly claim: Claim; readonly replayed: boolean }>;

/** A coupon as it was at one instant. `claimedBy` is there when it was asked for: all who hold a claim, in claim order. */
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
export type BulkClaimResult = Done<{ readonly results: readonly ClaimResult[]; readonly remaining: number }> | NoCoupon | Failed;
export type CreateResult = Found | Failed | Refused<"coupon_exists" | "invalid_request">;
export type ReadResult = Found | NoCoupon | Failed;
export type ChangeResult = Found | NoCoupon | Failed | Refused<"amount_below_claimed" | "precondition_failed" | "invalid_request">;
export type DeleteResult = Done | NoCoupon | Failed;
export type HoldResult =
  | Done<{ readonly hold: Hold; readonly isNew: boolean; readonly remaining: number }>
  | ClosedSale
  | NoCoupon
  | Failed
  | Refused<"already_claimed" | "hold_released" | "hold_too_long" | "hold_limit_reached">;
export type ReleaseHoldResult = Done | NoCoupon | Failed;
/** How many holds were ended. */
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

/** How a claim ended, in one word. */
export function outcomeOf(result: ClaimResult): Outcome {
  return result.ok ? (result.replayed ? "replayed" : "granted") : result.code;
}

/** The calls that a coupon's object answers. */
export type CouponCalls = {
  create(coupon: NewCoupon): Promise<CreateResult>;
  read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult>;
  /** Sets what the operator asks for; with `ifMatch`, only if it holds the coupon's current entity tag. */
  change(change: Change, ifMatch: string | null): Promise<ChangeResult>;
  /** Removes everything. */
  remove(): Promise<DeleteResult>;
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
  /** What one user has. */
  getUserClaim(userId: string): Promise<UserClaimResult>;
  revoke(request: RevokeRequest): Promise<RevokeResult>;
  /** Claims in the order of their positions. */
  listClaims(after: Cursor, limit: number): Promise<ListClaimsResult>;
  metrics(): Promise<MetricsResult>;
  certify(request: CertificateRequest): Promise<CertifyResult>;
};
