// Every expected "no". Its sentence and its status are in http/refusals.ts.

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
  "precondition_failed",
  // Returned by the Worker in front of it.
  "invalid_request",
  "unauthorized",
  "forbidden",
  "rate_limited",
  "not_found",
  "method_not_allowed",
  "payload_too_large",
  // Returned by either.
  "unavailable",
  "outcome_unknown",
  "internal_error",
] as const;

/** What a refusal is called on the wire and in the code. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];
