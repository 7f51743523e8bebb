// The one table from refusal to status and sentence. A code without a row does not compile.

import type { RefusalCode } from "../domain/refusals.ts";

type Row = {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 422 | 429 | 500 | 503;
  /** A sentence for a person. Clients of older systems match the ones marked as fixed. */
  readonly error: string;
};

export const REFUSALS = {
  // Fixed.
  coupon_exists: { status: 409, error: "coupon already exists" },
  coupon_not_found: { status: 404, error: "coupon not found" },
  already_claimed: { status: 409, error: "coupon already claimed by user" },
  out_of_stock: { status: 400, error: "coupon out of stock" },
  invalid_request: { status: 400, error: "invalid request body" },
  internal_error: { status: 500, error: "internal server error" },

  // Ours.
  sale_ended: { status: 403, error: "the sale has ended" },
  sale_not_started: { status: 403, error: "the sale has not started yet" },
  sale_paused: { status: 403, error: "the sale is paused" },
  idempotency_key_reused: { status: 422, error: "this idempotency key was used for another claim of this coupon" },
  claim_released: { status: 409, error: "the claim that this request once made was released" },
  hold_released: { status: 409, error: "the hold that this request made was released: send a new request to hold again" },
  hold_too_long: { status: 400, error: "ttl_seconds is longer than this coupon allows: send at most ttl_seconds_max" },
  hold_limit_reached: { status: 409, error: "as many holds run as this coupon allows: try again later, or claim without a hold" },
  claim_not_found: { status: 404, error: "this user has no claim of this coupon" },
  position_mismatch: { status: 409, error: "this user's claim is another one than the one at this position" },
  amount_below_claimed: { status: 409, error: "amount is below the units that are claimed or held" },
  precondition_failed: { status: 412, error: "the coupon has changed since: If-Match does not name it as it is" },
  forbidden: { status: 403, error: "the token is another user's" },
  rate_limited: { status: 429, error: "too many requests of this user for this coupon" },
  unauthorized: { status: 401, error: "operator token required: send the header Authorization: Bearer <token>" },
  not_found: { status: 404, error: "no such route" },
  method_not_allowed: { status: 405, error: "this route does not take this method" },
  payload_too_large: { status: 413, error: "request body too large" },
  unavailable: { status: 503, error: "the coupon can't answer right now: nothing was changed, try again" },
  outcome_unknown: { status: 503, error: "no answer in time: it may or may not have happened; look, or send it again with the same key" },
} as const satisfies Record<RefusalCode, Row>;
