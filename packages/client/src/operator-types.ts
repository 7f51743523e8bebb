// What the API answers to operators. A test compares these types with the schemas of the OpenAPI document.

import type { Hold, Receipt, SaleState } from "./types.ts";
import type { Settings, WebhookEvent } from "./webhook-types.ts";

export type { Settings, WebhookEvent };

/** A coupon to create. Times are RFC 3339 with an offset. */
export type NewCoupon = Partial<Omit<Settings, "amount" | "paused">> & { readonly name: string; readonly amount: number };
/** Every field is absolute. What is absent stays as it is. */
export type Change = Partial<Settings>;

export type Coupon = Settings & {
  readonly name: string;
  readonly remaining_amount: number;
  readonly state: SaleState;
  readonly held_amount: number;
  readonly created_at: string;
  /** All users with a claim, in claim order. */
  readonly claimed_by?: readonly string[];
};
/** `as_of` says when its counters were read. */
export type ListedCoupon = Omit<Coupon, "claimed_by"> & { readonly claimed_amount: number; readonly as_of: string };

/** A page of a list from the database. `as_of` says when the newest event reached it. */
type Page<After> = { readonly next_after: After | null };
type DatabasePage = Page<string> & { readonly as_of: string | null };
export type CouponPage = DatabasePage & { readonly coupons: readonly ListedCoupon[] };
export type UserClaimPage = DatabasePage & { readonly claims: readonly (Receipt & { readonly state: SaleState })[] };
export type Erasure = DatabasePage & { readonly erased_count: number };
export type ClaimPage = { readonly claims: readonly Receipt[]; readonly next: number | null };
export type HoldPage = { readonly holds: readonly Hold[]; readonly next: string | null };

export type EventKind = "created" | "changed" | "claimed" | "released" | "held" | "given_back" | "expired" | "archived" | "erased";
/** An event of the ledger. With `created` and `changed` it has the settings, and with `held` `expires_at`. */
export type LedgerEvent = Partial<Settings> & {
  readonly seq: number;
  readonly at: string;
  readonly kind: EventKind;
  readonly actor: string | null;
  readonly user_id: string | null;
  readonly position: number | null;
  readonly expires_at?: string;
};
export type HistoryPage = Page<number> & { readonly events: readonly LedgerEvent[] };

export type Timeline = {
  readonly coupon_name: string;
  readonly bucket_seconds: number;
  readonly buckets: readonly { readonly at: string; readonly granted: number; readonly revoked: number }[];
  readonly as_of: string | null;
};

export type ClosedCode = "out_of_stock" | "sale_ended" | "sale_not_started" | "sale_paused";
export type BulkOutcome = "granted" | "replayed" | "already_claimed" | "claim_released" | ClosedCode;
export type BulkClaim = {
  readonly coupon_name: string;
  readonly granted_count: number;
  readonly remaining_amount: number;
  readonly results: readonly {
    readonly user_id: string;
    readonly outcome: BulkOutcome;
    readonly position?: number;
    readonly claimed_at?: string;
  }[];
};

export type RevokedClaim = Receipt & { readonly released_at: string; readonly remaining_amount: number };
export type ReleasedHolds = { readonly coupon_name: string; readonly ended_count: number; readonly remaining_amount: number };

export type ClaimCount =
  | BulkOutcome
  | "idempotency_key_reused"
  | "invalid_request"
  | "unauthorized"
  | "forbidden"
  | "rate_limited"
  | "challenge_failed"
  | "unavailable";
export type CouponMetrics = {
  readonly coupon_name: string;
  readonly outcomes: Readonly<Record<ClaimCount, number>>;
  readonly claimed_amount: number;
  readonly held_amount: number;
  readonly remaining_amount: number;
};

export type Sink = {
  /** `d1` is the database. Any other is the id of a webhook. */
  readonly sink: string;
  readonly status: "active" | "parked" | "disabled";
  readonly epoch: string | null;
  readonly seq: number;
  readonly lag_events: number;
  readonly lag_seconds: number;
  readonly failed_attempts: number;
  readonly failing_since: string | null;
  readonly next_attempt_at: string | null;
  readonly last_error: string | null;
  readonly delivered_at: string | null;
};
export type Delivery = { readonly coupon_name: string; readonly head_seq: number | null; readonly sinks: readonly Sink[] };
/** The sinks of all coupons that fail now, each from its first failed attempt until its next success. */
export type FailingDelivery = {
  readonly failing: readonly (Pick<Sink, "sink" | "status" | "failed_attempts"> & { readonly coupon_name: string })[];
  readonly has_more: boolean;
};

/** A webhook to create. Without `coupons` it gets the events of all. */
export type NewWebhook = { readonly url: string; readonly events: readonly WebhookEvent[]; readonly coupons?: readonly string[] | null };
export type WebhookChange = Partial<NewWebhook> & { readonly paused?: boolean };
export type Webhook = {
  readonly id: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly coupons: readonly string[] | null;
  readonly paused: boolean;
  readonly disabled_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};
/** Keep the secret: no other answer has it. */
export type WebhookWithSecret = Webhook & { readonly secret: string };
export type RotatedWebhook = WebhookWithSecret & { readonly previous_secret_expires_at: string };
export type WebhookPage = Page<string> & { readonly webhooks: readonly Webhook[] };
export type WebhookTest = {
  readonly delivered: boolean;
  readonly status: number | null;
  readonly duration_ms: number;
  readonly error: string | null;
};
