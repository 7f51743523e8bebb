// The codes of all refusals. Their sentences and statuses are in http/refusals.ts.

export const REFUSAL_CODES = [
  // Returned by the coupon's object.
  "coupon_exists",
  "coupon_not_found",
  "already_claimed",
  "idempotency_key_reused",
  "claim_released",
  "hold_released",
  "hold_too_long",
  "hold_limit_reached",
  "sale_ended",
  "sale_not_started",
  "sale_paused",
  "out_of_stock",
  "claim_not_found",
  "position_mismatch",
  "amount_below_claimed",
  "coupon_archived",
  "precondition_failed",
  "backup_invalid",
  "part_missing",
  // Returned by the Worker.
  "invalid_request",
  "unauthorized",
  "forbidden",
  "origin_not_allowed",
  "rate_limited",
  "challenge_failed",
  "webhook_not_found",
  "webhook_limit_reached",
  "not_found",
  "method_not_allowed",
  "payload_too_large",
  "misconfigured",
  // Returned by either.
  "unavailable",
  "outcome_unknown",
  "internal_error",
] as const;

/** The name of a refusal, on the wire and in the code. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];
