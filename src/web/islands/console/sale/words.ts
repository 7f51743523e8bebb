// The words for the API's codes: events of the ledger, refusals of claims, and sinks.

import type { CLAIM_OUTCOMES } from "../../../../domain/claim-counts.ts";
import type { SINK_STATUSES } from "../../../../domain/delivery.ts";
import type { EventKind } from "../../../../domain/ledger-event.ts";

/** An event of `GET /api/coupons/{name}/history`. */
export type LedgerEvent = {
  readonly seq: number;
  readonly at: string;
  readonly kind: EventKind;
  readonly actor: string | null;
  readonly user_id: string | null;
  readonly position: number | null;
};

export const EVENT_WORDS = {
  created: "Sale created",
  changed: "Settings changed",
  claimed: "Claimed",
  released: "Claim revoked",
  held: "Unit held",
  given_back: "Hold released",
  expired: "Hold expired",
  archived: "Sale archived",
  erased: "User erased",
} as const satisfies Record<EventKind, string>;

type Refused = Exclude<(typeof CLAIM_OUTCOMES)[number], "granted" | "replayed">;

const REFUSAL_WORDS: Readonly<Record<Refused, string>> = {
  already_claimed: "The user has one already",
  out_of_stock: "Nothing was left",
  sale_not_started: "Before the opening",
  sale_paused: "While paused",
  sale_ended: "After the end",
  claim_released: "A revoked claim, sent again",
  idempotency_key_reused: "Another claim's key",
  invalid_request: "A malformed request",
  unauthorized: "No valid token",
  forbidden: "Another user's token",
  rate_limited: "Too many requests",
  challenge_failed: "No solved challenge",
  unavailable: "No answer in time",
};

/** The counts of `GET /api/coupons/{name}/metrics`. */
export type Outcomes = Readonly<Record<string, number>>;
export type RefusedBy = { readonly code: string; readonly words: string; readonly count: number };

/** Returns why claims were refused, the most frequent reason first, without those that never came up. */
export function refusedBy(outcomes: Outcomes): readonly RefusedBy[] {
  return Object.entries(REFUSAL_WORDS)
    .map(([code, words]) => ({ code, words, count: outcomes[code] ?? 0 }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count);
}

/** A sink of `GET /api/coupons/{name}/delivery`. */
export type Sink = {
  readonly sink: string;
  readonly status: (typeof SINK_STATUSES)[number];
  readonly lag_events: number;
  readonly lag_seconds: number;
  readonly failed_attempts: number;
  readonly next_attempt_at: string | null;
  readonly last_error: string | null;
};

/** Returns how a sink is, in words. */
export function sinkState({ status, failed_attempts: failedCount, lag_events: lag }: Sink): string {
  if (status === "parked") return "Gave up after three days of failures";
  if (status === "disabled") return "Disabled: its endpoint answered 410";
  if (failedCount > 0) return failedCount === 1 ? "Failed once, tries again" : `Failed ${failedCount} times, tries again`;
  return lag === 0 ? "Has everything" : "Is catching up";
}
