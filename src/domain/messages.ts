// What the Worker and a coupon's object say to each other. All of it is plain values, because that is what crosses RPC.

import type { Claim, ClaimRequest } from "./claim.ts";
import type { Coupon, NewCoupon, SaleState } from "./coupon.ts";
import type { RefusalCode } from "./refusals.ts";

/** The ledger's head when the answer was computed; 0 for a coupon that does not exist. */
type Seq = { readonly seq: number };

/** An expected "no" of the object, with what helps the caller. */
export type Refused<Code extends RefusalCode = RefusalCode> = Seq & {
  readonly ok: false;
  readonly code: Code;
  /** With `already_claimed`: the claim that this user has. */
  readonly claim?: Claim;
  /** With `sale_not_started`: when it starts, and how long that is from now. */
  readonly startsAt?: number;
  readonly startsInMs?: number;
};

/** A unit went to the caller; `replayed` when that happened in an earlier request with the same key. */
export type Granted = Seq & { readonly ok: true; readonly claim: Claim; readonly replayed: boolean };

/** A coupon as it was at one instant. `claimedBy` is there when it was asked for: all who hold a claim, in claim order. */
export type CouponView = Coupon & { readonly state: SaleState; readonly claimedBy?: readonly string[] };
export type Found = Seq & { readonly ok: true; readonly coupon: CouponView };

export type ClaimResult =
  | Granted
  | Refused<
      | "coupon_not_found"
      | "already_claimed"
      | "idempotency_key_reused"
      | "sale_ended"
      | "sale_not_started"
      | "sale_paused"
      | "out_of_stock"
      | "invalid_request"
      | "unavailable"
    >;
export type CreateResult = Found | Refused<"coupon_exists" | "invalid_request" | "unavailable">;
export type ReadResult = Found | Refused<"coupon_not_found" | "unavailable">;

/** The calls that a coupon's object answers. */
export type CouponCalls = {
  create(coupon: NewCoupon): Promise<CreateResult>;
  read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult>;
  claim(request: ClaimRequest): Promise<ClaimResult>;
};
