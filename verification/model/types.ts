// The words of the reference model: calls, answers, and the events of a ledger.

import type { Settings } from "./settings.ts";

/** A call about one coupon. */
export type Call =
  | ({
      readonly kind: "create";
      readonly key?: string;
    } & Pick<Settings, "amount" | "startsAt" | "endsAt"> &
      Partial<Omit<Settings, "paused">>)
  | ({ readonly kind: "change" } & Partial<Settings>)
  | { readonly kind: "claim"; readonly userId: string; readonly key: string | null }
  | { readonly kind: "hold"; readonly userId: string; readonly ttlMs: number }
  | { readonly kind: "give_back"; readonly userId: string }
  | { readonly kind: "end_holds" }
  | { readonly kind: "holds" }
  | { readonly kind: "release"; readonly userId: string; readonly position: number | null }
  | { readonly kind: "own"; readonly userId: string }
  | { readonly kind: "read" }
  | { readonly kind: "erase"; readonly userId: string }
  /** A part of a backup, by the name of the backup. The last part makes the coupon. */
  | { readonly kind: "restore"; readonly backup: string; readonly isLast: boolean }
  | { readonly kind: "archive" }
  | { readonly kind: "remove" };

/** The ledger's words for events. `removed` is the end of an incarnation, which no ledger records. */
export type EventKind =
  | "created"
  | "changed"
  | "claimed"
  | "released"
  | "held"
  | "given_back"
  | "expired"
  | "archived"
  | "erased"
  | "removed";

/**
 * The result of a call. A call that changes a coupon is named after its event, also where nothing was left to
 * change: a second revoke is `released`, a change without effect `changed`, a release without a hold
 * `given_back`. `ended` stands for several events, a `given_back` for each hold.
 */
export type Outcome =
  | Exclude<EventKind, "expired">
  | "replayed"
  | "restored"
  | "held_already"
  | "ended"
  | "listed"
  | "found"
  | "has_claim"
  | "has_hold"
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
  | "invalid_request"
  // The call has no effect: the object said so, or the network never delivered it.
  | "unavailable"
  | "undelivered";

/** The facts of an answer. A fact that an answer does not show is absent, and is not checked. */
export type Facts = Partial<Settings> & {
  readonly archivedAt?: number;
  readonly position?: number;
  readonly claimedAt?: number;
  readonly heldAt?: number;
  readonly expiresAt?: number;
  readonly releasedAt?: number;
  readonly createdAt?: number;
  readonly remaining?: number;
  readonly held?: number;
  readonly state?: string;
  readonly amountMin?: number;
  readonly ttlSecondsMax?: number;
  /** Whether a receipt names its user by the pseudonym. */
  readonly isHidden?: boolean;
  /** How many holds were ended. */
  readonly count?: number;
  /** The users with a claim, in claim order. */
  readonly claimants?: readonly string[];
  /** The users with a hold, in the order of their ids. */
  readonly holders?: readonly string[];
};

export type Answer = Facts & {
  readonly is: Outcome;
  /**
   * The ledger's head when the answer was computed; 0 without a coupon. For a refusal at the edge it is the
   * head at which its certificate was issued. The ledger may have advanced since, as long as the answer is
   * still true.
   */
  readonly seq: number;
  /**
   * The incarnation that the answer is about, from 1. With seq 0 it is the incarnation that was over by then,
   * 0 before the first. Absent where it is not known.
   */
  readonly incarnation?: number;
  /** The instant of the answer by the object's clock, where it is known. */
  readonly at?: number;
  /** The Worker refused it by a certificate. */
  readonly servedByEdge?: true;
};

/** One line of the ledger. */
export type LedgerEvent = {
  readonly kind: EventKind;
  /** Dense from 1 in each incarnation; 0 with `removed`. */
  readonly seq: number;
  readonly at: number;
  readonly userId: string | null;
  readonly position: number | null;
  /**
   * With `claimed`, where known: the stored key and attempt. With `held`: the attempt, once the hold was
   * released.
   */
  readonly key?: string | null;
  readonly attempt?: string;
  /** With `held`. */
  readonly expiresAt?: number;
  /** With `erased`: the events that get the pseudonym by it. */
  readonly erasedSeqs?: readonly number[];
  /** The event was restored from this backup, with the others up to the last one in one call. */
  readonly restored?: { readonly backup: string; readonly isLast: boolean };
  /** The pseudonym, where the event happened to a user who was erased already. */
  readonly alias?: string;
  /** With `created` and `changed`: the settings from then on. */
  readonly settings?: Settings;
};
