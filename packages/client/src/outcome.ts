// How a claim or a hold ends: one typed union each.

import type { Failure } from "./call.ts";
import type { GrantedReceipt, NewHold, Receipt, RefusalCode } from "./types.ts";

/** Why a user gets no unit. `error` is a sentence for people, and `code` the refusal's. */
type Refused = { readonly error: string; readonly code: RefusalCode };

/**
 * A refusal before the coupon was asked. With `maybeGranted`, an attempt with this key may have been granted: an
 * earlier one, or this one if something in front of the server refused it.
 */
type NotJudged = Refused & { readonly maybeGranted: boolean };

/** The ends that claims and holds share. */
export type RefusedOutcome =
  /** The user has a unit. */
  | ({ readonly outcome: "already_claimed"; readonly receipt: Receipt } & Refused)
  /** Nothing is left. A unit may come back: watch the state. */
  | ({ readonly outcome: "out_of_stock" } & Refused)
  /** Claim again at `startsAt`, by the server's clock. */
  | ({ readonly outcome: "not_started"; readonly startsAt: string; readonly retryAfterMs: number } & Refused)
  /** Watch the state. */
  | ({ readonly outcome: "paused" } & Refused)
  | ({ readonly outcome: "ended" } & Refused)
  /** There is no such coupon. */
  | ({ readonly outcome: "not_found" } & Refused)
  /** The token is missing, wrong or expired. */
  | ({ readonly outcome: "unauthorized" } & NotJudged)
  /** The token is another user's, or the page's origin is not allowed. */
  | ({ readonly outcome: "forbidden" } & NotJudged)
  /** Let the user solve a Turnstile challenge, and send its token as `challengeToken`. */
  | ({ readonly outcome: "challenge" } & NotJudged)
  /** The request is wrong, and `error` says what. */
  | ({ readonly outcome: "invalid"; readonly fields: Readonly<Record<string, string>> } & NotJudged)
  /** Too many requests until the deadline. Nothing happened. */
  | ({ readonly outcome: "rate_limited"; readonly retryAfterMs: number } & Refused)
  /** The server could not answer until the deadline, or is misconfigured. */
  | ({ readonly outcome: "unavailable" } & NotJudged)
  /** No answer until the deadline: it may have happened. Try again, which sends the same key. Never say "sold out". */
  | ({ readonly outcome: "unknown" } & Refused);

/** How a claim ends. */
export type ClaimOutcome =
  /** With `replayed`, an earlier attempt with the same key got the unit. */
  | { readonly outcome: "granted"; readonly receipt: GrantedReceipt; readonly replayed: boolean }
  /** The operator revoked the claim that had this key. A new claim has a new key. */
  | ({ readonly outcome: "claim_released"; readonly receipt: Receipt } & Refused)
  /** Another user's claim has this key. */
  | ({ readonly outcome: "key_reused" } & Refused)
  | RefusedOutcome;

/** How a hold ends. */
export type HoldOutcome =
  | { readonly outcome: "held"; readonly hold: NewHold }
  /** The coupon allows at most `ttlSecondsMax`. */
  | ({ readonly outcome: "too_long"; readonly ttlSecondsMax: number } & Refused)
  /** The coupon's limit of holds is reached. Try later, or claim without a hold. */
  | ({ readonly outcome: "limit_reached" } & Refused)
  /** The hold of this very request was released meanwhile. Hold again. */
  | ({ readonly outcome: "hold_released" } & Refused)
  | RefusedOutcome;

/** Returns the end of a claim that was not granted. */
export function claimRefused(failure: Failure): ClaimOutcome {
  const { code, error, claim } = failure;
  if (code === "claim_released" && claim !== undefined) return { outcome: "claim_released", receipt: claim, code, error };
  if (code === "idempotency_key_reused") return { outcome: "key_reused", code, error };
  return refused(failure);
}

/** Returns the end of a hold that was not made. */
export function holdRefused(failure: Failure): HoldOutcome {
  const { code, error, ttl_seconds_max: ttlSecondsMax = 0 } = failure;
  if (code === "hold_too_long") return { outcome: "too_long", ttlSecondsMax, code, error };
  if (code === "hold_limit_reached") return { outcome: "limit_reached", code, error };
  if (code === "hold_released") return { outcome: "hold_released", code, error };
  return refused(failure);
}

function refused({
  code,
  error,
  claim,
  starts_at: startsAt = "",
  retryAfterMs,
  fields = {},
  maybeDone: maybeGranted,
}: Failure): RefusedOutcome {
  const said = { code, error };
  switch (code) {
    case "already_claimed":
      if (claim !== undefined) return { outcome: "already_claimed", receipt: claim, ...said };
      break;
    case "out_of_stock":
      return { outcome: "out_of_stock", ...said };
    case "sale_not_started":
      return { outcome: "not_started", startsAt, retryAfterMs, ...said };
    case "sale_paused":
      return { outcome: "paused", ...said };
    case "sale_ended":
      return { outcome: "ended", ...said };
    case "coupon_not_found":
      return { outcome: "not_found", ...said };
    case "unauthorized":
      return { outcome: "unauthorized", maybeGranted, ...said };
    case "forbidden":
    case "origin_not_allowed":
      return { outcome: "forbidden", maybeGranted, ...said };
    case "challenge_failed":
      return { outcome: "challenge", maybeGranted, ...said };
    case "rate_limited":
      return { outcome: "rate_limited", retryAfterMs, ...said };
    case "unavailable":
    case "misconfigured":
      return { outcome: "unavailable", maybeGranted, ...said };
    case "outcome_unknown":
    case "internal_error":
      return { outcome: "unknown", ...said };
    default:
      break;
  }
  // What is left is about the request itself, or newer than this client.
  return { outcome: "invalid", fields, maybeGranted, ...said };
}
