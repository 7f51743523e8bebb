// The calls from the Worker to a coupon's object. RPC carries plain values only.

import type { BackupEvent, BackupHeader, BackupPart } from "./backup.ts";
import type { Certificate, CertificateRequest } from "./certificate.ts";
import type { Change } from "./change.ts";
import type { Claim, ClaimRequest, ClosedCode, Hold } from "./claim.ts";
import type { Coupon, NewCoupon, SaleState } from "./coupon.ts";
import type { OutboxCursor, OutboxPage, SinkLag } from "./delivery.ts";
import type { Precondition } from "./etag.ts";
import type { HoldRequest } from "./hold.ts";
import type { LaneHint } from "./lanes.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { BulkOutcome, ClaimCounts, ClaimOutcome, RefusalCounts } from "./claim-counts.ts";
import type { RefusalCode } from "./refusals.ts";
import type { RequestReport, ServiceCounts } from "./request-counts.ts";
import type { RevokedClaim, RevokeRequest } from "./revoke.ts";

/**
 * The ledger's head when the answer was computed. It is 0 if there is no coupon. Answers of a busy coupon to claims,
 * holds, reads and requests of certificates have its hint.
 */
type Seq = { readonly seq: number; readonly lanes?: LaneHint };

/** A refusal by the object, with details for the caller. */
export type Refused<Code extends RefusalCode = RefusalCode> = Seq & {
  readonly ok: false;
  readonly code: Code;
  /** The user's claim (`already_claimed`, `position_mismatch`) or revoked claim (`claim_released`). */
  readonly claim?: Claim;
  /** With `sale_not_started`: when the sale starts, and the milliseconds until then. */
  readonly startsAt?: number;
  readonly startsInMs?: number;
  /** With `amount_below_claimed`: the lowest amount that is allowed. */
  readonly amountMin?: number;
  /** With `hold_too_long`: the longest hold that is allowed. */
  readonly ttlSecondsMax?: number;
  /** With `backup_invalid`: the line of the part, from 1, and what is wrong. */
  readonly line?: number;
  readonly fault?: string;
  /** With `part_missing`: the part that comes next. */
  readonly nextPart?: number;
};
type Done<Fields = unknown> = Seq & { readonly ok: true } & Fields;

/** The user has a unit. `replayed` is true if an earlier request with the same key or attempt id got it. */
export type Granted = Done<{ readonly claim: Claim; readonly replayed: boolean }>;

/** A coupon at one instant. On request, `claimedBy` has all users with a claim, in claim order. */
export type CouponView = Coupon & { readonly state: SaleState; readonly claimedBy?: readonly string[] };
export type Found = Done<{ readonly coupon: CouponView; readonly now: number }>;

/**
 * Where a page of claims begins: after `position`. The ledger has that position at `seq` or later. `epoch`
 * names one coupon among those of the same name. Null means the current one.
 */
export type Cursor = { readonly position: number; readonly seq: number; readonly epoch: string | null };
export type Page = Done<{ claims: readonly Claim[]; readonly next: Cursor | null }>;

/** The coupon `epoch` after its event `seq`. */
export type AsOf = Pick<Coupon, "epoch" | "seq">;
/** `json` has `userCount` user ids as JSON, each after a comma. The next page begins behind the seq `next`. */
export type ClaimantPage = Done<{ json: string; readonly userCount: number; readonly next: number | null }>;

/**
 * Storage failed, the mailbox is full, or a newer version of the code wrote the tables. Nothing was changed.
 * Any call can return this.
 */
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
/** `replayed` is true if an earlier request with the same key and settings created the coupon. */
export type CreateResult =
  | (Found & { readonly replayed: boolean })
  | Failed
  | Refused<"coupon_exists" | "idempotency_key_reused" | "invalid_request">;
export type ReadResult = Found | NoCoupon | Failed;
export type ChangeResult =
  | Found
  | NoCoupon
  | Failed
  | Refused<"amount_below_claimed" | "coupon_archived" | "precondition_failed" | "invalid_request">;
export type ArchiveResult = Found | NoCoupon | Failed | Refused<"precondition_failed">;
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
/** `eventCount` events got the pseudonym. */
export type EraseResult = Done<{ readonly eventCount: number }> | NoCoupon | Failed;
/** `next` is the seq that the next page begins behind. */
export type HistoryResult = Done<{ readonly events: readonly LedgerEvent[]; readonly next: number | null }> | NoCoupon | Failed;
export type ClaimantsResult = ClaimantPage | NoCoupon | Failed;
export type ListClaimsResult = Page | NoCoupon | Failed;
/** The next events for a sink, or null if it has all. */
export type OutboxResult = Done<{ readonly page: OutboxPage | null }> | Failed;
/** `header` is the coupon now. `next` is the seq that the next page begins behind. */
export type BackupResult =
  | Done<{ readonly header: BackupHeader; readonly events: readonly BackupEvent[]; readonly next: number | null }>
  | NoCoupon
  | Failed;
/** The part is stored, and `nextPart` comes next. Or it was the last one, and there is a coupon. */
export type RestoreResult =
  | Done<{ readonly nextPart: number }>
  | Found
  | Failed
  | Refused<"coupon_exists" | "backup_invalid" | "part_missing" | "invalid_request">;
/** `isEmpty` is true if the object stores nothing now. */
export type ForgetResult = Done<{ readonly isEmpty: boolean }> | Failed;
export type MetricsResult = Done<{ readonly coupon: CouponView; readonly outcomes: ClaimCounts }> | NoCoupon | Failed;
/** A certificate, or null if none can be issued now. */
export type CertifyResult = Done<{ readonly certificate: Certificate | null }> | NoCoupon | Failed;

/** Returns the outcome of a claim. */
export function outcomeOf(result: BulkPart): BulkOutcome;
export function outcomeOf(result: ClaimResult): ClaimOutcome;
export function outcomeOf(result: ClaimResult): ClaimOutcome {
  return result.ok ? (result.replayed ? "replayed" : "granted") : result.code;
}

/** The calls that a coupon's object answers. `actor` is the operator who calls, null for a user. */
export type CouponCalls = {
  create(coupon: NewCoupon, key?: string | null, actor?: string | null): Promise<CreateResult>;
  read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult>;
  /** Changes the settings if the coupon's current entity tag meets `precondition`. */
  change(change: Change, precondition: Precondition | null, actor?: string | null): Promise<ChangeResult>;
  /** Closes the sale for good and ends all holds, if the coupon's current entity tag meets `precondition`. */
  archive(precondition: Precondition | null, actor?: string | null): Promise<ArchiveResult>;
  /** Deletes the coupon and all its rows if its current entity tag meets `precondition`. */
  remove(precondition?: Precondition | null, actor?: string | null): Promise<DeleteResult>;
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Claims a unit for each user, in this order, in one transaction and with the same `attemptId`. */
  claimMany(userIds: readonly string[], attemptId: string, actor?: string | null): Promise<BulkClaimResult>;
  hold(request: HoldRequest): Promise<HoldResult>;
  /** Releases the user's hold, if there is one. */
  releaseHold(userId: string, actor?: string | null): Promise<ReleaseHoldResult>;
  /** Releases all holds. */
  releaseAllHolds(actor?: string | null): Promise<ReleaseAllHoldsResult>;
  /** Lists running holds in the order of their user ids, after the user id `after`. */
  listHolds(after: string, limit: number): Promise<ListHoldsResult>;
  /** Returns the claim or the running hold of one user. */
  getUserClaim(userId: string): Promise<UserClaimResult>;
  revoke(request: RevokeRequest, actor?: string | null): Promise<RevokeResult>;
  /** Puts a pseudonym in the place of a user's id, also in ledgers of deleted incarnations. A repeated call changes nothing. */
  erase(userId: string, actor?: string | null): Promise<EraseResult>;
  /** Lists claims in the order of their positions. */
  listClaims(after: Cursor, limit: number): Promise<ListClaimsResult>;
  /** Lists the users who had a claim at `asOf`, in claim order, after the seq `after`. */
  claimants(asOf: AsOf, after: number, limit: number): Promise<ClaimantsResult>;
  /** Lists the ledger's events in their order, after the seq `after`. */
  history(after: number, limit: number): Promise<HistoryResult>;
  /** Returns the events of the coupon `epoch` after `after`, up to the event `until`. Null is the current coupon, and its last event. */
  backup(epoch: string | null, after: number, until: number | null): Promise<BackupResult>;
  /** Stores one part of a backup. The last one makes the coupon `name`. A part that is stored already changes nothing. */
  restore(name: string, part: BackupPart, actor?: string | null): Promise<RestoreResult>;
  /** Returns at most `limit` events after a sink's cursor. Null is the beginning of the first incarnation. */
  outbox(after: OutboxCursor | null, limit: number): Promise<OutboxResult>;
  /** Discards the ledgers of deleted incarnations that all sinks have. `cursors` are those of the sinks. */
  forget(cursors: readonly (OutboxCursor | null)[]): Promise<ForgetResult>;
  metrics(): Promise<MetricsResult>;
  certify(request: CertificateRequest): Promise<CertifyResult>;
  /** Counts claims that an isolate has refused. */
  countRefused(refused: RefusalCounts): Promise<DoneResult>;
};

/** A claim or a hold, as a lane passes it on. */
export type LaneMessage =
  | { readonly kind: "claim"; readonly request: ClaimRequest }
  | { readonly kind: "hold"; readonly request: HoldRequest };

export type LaneAnswer = ClaimResult | HoldResult;

/** The answers in the order of the messages, one hint for all, and the lane's pause before its next call. */
export type BatchResult = { readonly answers: readonly LaneAnswer[]; readonly lanes?: LaneHint; readonly pauseMs?: number };

/** The calls of a coupon's object for its lanes. */
export type BatchCalls = {
  /**
   * Judges each message as a call of its own, all in one transaction if it has room. Counts `refusedCount` claims that
   * the lane has refused.
   */
  batch(messages: readonly LaneMessage[], refusedCount: number): Promise<BatchResult>;
};

/** The calls that a lane answers as its coupon does. */
export type LaneCalls = Pick<CouponCalls, "claim" | "hold">;

/** The calls that the service's meter answers. */
export type MeterCalls = {
  /** Adds a report. The same report again changes nothing. */
  add(report: RequestReport): Promise<true>;
  read(): Promise<ServiceCounts>;
};

/** The calls that a coupon's courier answers. */
export type CourierCalls = {
  /** The coupon's ledger has grown. Returns when the courier can no longer forget it. */
  notify(): Promise<void>;
  /** Returns how far each sink has got. Null if the coupon can't answer. */
  state(): Promise<readonly SinkLag[] | null>;
  /** Writes the coupon's rows of the read model again, from the beginning of its ledger. */
  rebuild(): Promise<void>;
  /** Sends the events from `fromSeq` on to a webhook endpoint again. False if there is no such endpoint for this coupon. */
  replay(endpointId: string, fromSeq: number): Promise<boolean>;
};
