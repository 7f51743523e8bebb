// The status and the sentence of each refusal. A code without a row does not compile.

import { WEBHOOKS_MAX } from "../domain/delivery-limits.ts";
import type { RefusalCode } from "../domain/refusals.ts";
import type { Refused } from "../domain/rpc.ts";

type Row = {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 422 | 429 | 500 | 503;
  /** Says what is wrong and what the caller can do. Clients of older systems match the fixed sentences. */
  readonly error: string;
};

export const REFUSALS = {
  // Fixed: do not change these sentences.
  coupon_exists: { status: 409, error: "coupon already exists" },
  coupon_not_found: { status: 404, error: "coupon not found" },
  already_claimed: { status: 409, error: "coupon already claimed by user" },
  out_of_stock: { status: 400, error: "coupon out of stock" },
  invalid_request: { status: 400, error: "invalid request body" },
  internal_error: { status: 500, error: "internal server error" },

  // These sentences may be improved.
  sale_ended: { status: 403, error: "the sale has ended" },
  sale_not_started: { status: 403, error: "the sale has not started: see starts_at" },
  sale_paused: { status: 403, error: "the sale is paused: claim again when its state is open" },
  idempotency_key_reused: { status: 422, error: "another request used this Idempotency-Key: send a new key" },
  claim_released: { status: 409, error: "this request's claim was revoked: send a new Idempotency-Key to claim again" },
  hold_released: { status: 409, error: "this request's hold was released: send a new request to hold again" },
  hold_too_long: { status: 400, error: "ttl_seconds is longer than this coupon allows: send at most ttl_seconds_max" },
  hold_limit_reached: { status: 409, error: "this coupon's limit of holds is reached: try again later, or claim without a hold" },
  claim_not_found: { status: 404, error: "this user has no claim of this coupon" },
  position_mismatch: { status: 409, error: "this user's claim is not at that position" },
  amount_below_claimed: { status: 409, error: "amount is below the units that are claimed or held: send at least amount_min" },
  coupon_archived: { status: 409, error: "the coupon is archived, so it can't be changed: create another one" },
  precondition_failed: {
    status: 412,
    error: "If-Match or If-None-Match does not fit the current ETag: read the coupon again, not its status",
  },
  backup_invalid: {
    status: 400,
    error: "the backup is damaged or not complete: fault says what is wrong with line, counted within this part",
  },
  part_missing: { status: 409, error: "a part before this one is missing: send the part next_part" },
  forbidden: { status: 403, error: "the token belongs to another user" },
  origin_not_allowed: {
    status: 403,
    error: "pages of this origin may not change anything here: list it in ALLOWED_ORIGINS, or for operator routes in OPERATOR_ORIGINS",
  },
  rate_limited: { status: 429, error: "too many requests: try again after Retry-After seconds" },
  challenge_failed: { status: 403, error: "solved challenge required: send a new Turnstile token in the header Turnstile-Token" },
  webhook_not_found: { status: 404, error: "webhook not found" },
  webhook_limit_reached: { status: 409, error: `there are ${WEBHOOKS_MAX} webhooks, and no more are allowed: delete one first` },
  unauthorized: { status: 401, error: "token required: send the header Authorization: Bearer <token>" },
  not_found: { status: 404, error: "no such route: see /openapi.json" },
  method_not_allowed: { status: 405, error: "this route does not take this method: see Allow" },
  payload_too_large: { status: 413, error: "request body too large" },
  misconfigured: { status: 503, error: "this server is misconfigured: its log names the variable" },
  unavailable: { status: 503, error: "no answer is available right now: nothing was changed, try again" },
  outcome_unknown: {
    status: 503,
    error: "no answer in time, so this may or may not have happened: send it again with the same Idempotency-Key, or read the state",
  },
} as const satisfies Record<RefusalCode, Row>;

/** The sentences of `unauthorized`. */
export const TOKEN_REQUIRED = {
  operator: "operator token required: send the header Authorization: Bearer <token>",
  user: "user token required: send the header Authorization: Bearer <token>",
  service: "service token required: send the header Authorization: Bearer <token>",
  /** Without configuration, a deployed Worker is closed. */
  noOperator: "operator routes are closed: set the secret ADMIN_TOKEN",
  noIdentity:
    "claims are closed: set IDENTITY_SECRET, IDENTITY_JWKS_URL or SERVICE_TOKEN, or set IDENTITY=off so that every caller may act for any user",
} as const;

/** Why a token that was sent is refused. The sentences are also an `error_description`: no quotes. */
export const TOKEN_INVALID = {
  malformed: "the token is not a JWT, or its typ is neither JWT nor at+jwt",
  algorithm: "the token's algorithm is not allowed",
  unknownKey: "the token's key is unknown",
  signature: "the token's signature is wrong",
  expired: "the token has expired: send a new one",
  notYet: "the token is not valid yet: see its nbf",
  issuer: "the token is of another issuer: see its iss",
  audience: "the token is for another audience: see its aud",
  noSubject: "the token has no sub",
  notOperator: "this is not the operator's token",
  notService: "this is not the service token",
} as const;
export type TokenFault = keyof typeof TOKEN_INVALID;

/** Returns the refusal of a request with a token that is not valid. */
export function invalidToken(fault: TokenFault): Refusal<"unauthorized"> {
  return { ok: false, code: "unauthorized", error: TOKEN_INVALID[fault], isTokenInvalid: true };
}
/** The sentences of `rate_limited`, by the policy. */
export const RATE_LIMITED = {
  address: "too many requests from this client address: try again after Retry-After seconds",
  user: "too many requests of this user for this coupon: try again after Retry-After seconds",
  login: "too many logins from this client address: try again after Retry-After seconds",
} as const;

/** A limit, how many requests it allows in a window, and the length of the window. */
export type Exceeded = {
  readonly policy: keyof typeof RATE_LIMITED;
  readonly requestsMax: number;
  readonly windowSeconds: number;
};

/** A refusal by the coupon's object, by its certificate, by a failed call, or by the Worker. */
export type Refusal<Code extends RefusalCode = RefusalCode> = Omit<Refused<Code>, "seq"> & {
  readonly seq?: number;
  /** A more specific sentence than the one in the table. */
  readonly error?: string;
  /** With `invalid_request`: the fault of each field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** With `method_not_allowed`: the methods that the path allows. */
  readonly allow?: string;
  /** With `unauthorized`: a token was sent. */
  readonly isTokenInvalid?: true;
  /** With `unavailable`: when to try again, unless soon. */
  readonly retryAfterSeconds?: number;
  /** With `rate_limited`: the limit that the request exceeds. */
  readonly exceeded?: Exceeded;
  /** Set if a certificate refused. With `isCounted`, one log line covers many such refusals. */
  readonly servedBy?: "edge";
  readonly isCounted?: boolean;
  /** Set if the call to the object has failed. */
  readonly cause?: unknown;
};

/** Returns the refusal of a request with one invalid field. */
export function invalid(field: string, fault: string): Refusal<"invalid_request"> {
  return { ok: false, code: "invalid_request", fields: { [field]: fault } };
}
