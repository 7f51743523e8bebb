// The one table from refusal to status and sentence. A code without a row does not compile.

import type { RefusalCode } from "../domain/refusals.ts";

type Row = {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 500 | 503;
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
  unauthorized: { status: 401, error: "operator token required: send the header Authorization: Bearer <token>" },
  not_found: { status: 404, error: "no such route" },
  method_not_allowed: { status: 405, error: "this route does not take this method" },
  payload_too_large: { status: 413, error: "request body too large" },
  unavailable: { status: 503, error: "the coupon can't answer right now: nothing was changed, try again" },
  outcome_unknown: { status: 503, error: "no answer in time: it may or may not have happened, retry with the same key" },
} as const satisfies Record<RefusalCode, Row>;
