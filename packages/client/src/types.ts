// What the API answers to users and viewers. A test compares these types with the schemas of the OpenAPI document.

/** A claim that was granted. The same on every replay. */
export type Receipt = {
  readonly coupon_name: string;
  readonly user_id: string;
  /** The order in which the claim was granted, from 1. Never used twice. */
  readonly position: number;
  readonly claimed_at: string;
};

/** A receipt with the units that were left once the claim was granted. */
export type GrantedReceipt = Receipt & { readonly remaining_amount: number };

/** A unit that is kept for a user until an instant. */
export type Hold = { readonly coupon_name: string; readonly user_id: string; readonly held_at: string; readonly expires_at: string };

/** A hold with the units that are left. */
export type NewHold = Hold & { readonly remaining_amount: number };

/** A user's claim, or the running hold. */
export type UserClaim = Receipt | Hold;

export type SaleState = "archived" | "ended" | "scheduled" | "paused" | "sold_out" | "open";

/** A snapshot of a sale, at most a second old. */
export type Status = {
  readonly name: string;
  readonly state: SaleState;
  readonly amount: number;
  readonly remaining_amount: number;
  readonly held_amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly server_time: string;
  /** Names this coupon among those of the same name, so that a new one is noticed. */
  readonly epoch: string;
  /** The number of the coupon's last event. */
  readonly seq: number;
};

/** The codes of all refusals. docs/api.md says what each means. */
export type RefusalCode =
  | "coupon_exists"
  | "coupon_not_found"
  | "already_claimed"
  | "idempotency_key_reused"
  | "claim_released"
  | "hold_released"
  | "hold_too_long"
  | "hold_limit_reached"
  | "sale_ended"
  | "sale_not_started"
  | "sale_paused"
  | "out_of_stock"
  | "claim_not_found"
  | "position_mismatch"
  | "amount_below_claimed"
  | "coupon_archived"
  | "precondition_failed"
  | "invalid_request"
  | "unauthorized"
  | "forbidden"
  | "origin_not_allowed"
  | "rate_limited"
  | "challenge_failed"
  | "webhook_not_found"
  | "webhook_limit_reached"
  | "not_found"
  | "method_not_allowed"
  | "payload_too_large"
  | "misconfigured"
  | "unavailable"
  | "outcome_unknown"
  | "internal_error";

/** The body of a refusal. The last six fields come with some codes alone. */
export type Refusal = {
  /** A sentence for people. */
  readonly error: string;
  readonly code: RefusalCode;
  /** Names the request in the server's log. */
  readonly request_id: string;
  /** With `invalid_request`: what is wrong with each field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** With `already_claimed`, `claim_released` and `position_mismatch`: the user's claim. */
  readonly claim?: Receipt;
  /** With `sale_not_started`. */
  readonly starts_at?: string;
  /** With `amount_below_claimed`. */
  readonly amount_min?: number;
  /** With `hold_too_long`. */
  readonly ttl_seconds_max?: number;
  /** With `rate_limited`, in seconds. */
  readonly retry_after?: number;
};
