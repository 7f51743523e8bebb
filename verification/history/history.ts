// A recorded history: what clients asked of one coupon, when, what they were answered, and the ledger that is left of it.

/** What somebody asked. */
export type Call =
  | ({
      readonly kind: "create";
      readonly amount: number;
      readonly startsAt: number | null;
      readonly endsAt: number | null;
    } & Partial<HoldLimits>)
  | ({ readonly kind: "change" } & Partial<Settings>)
  | { readonly kind: "claim"; readonly userId: string; readonly key: string | null }
  | { readonly kind: "hold"; readonly userId: string; readonly ttlMs: number }
  | { readonly kind: "give_back"; readonly userId: string }
  | { readonly kind: "end_holds" }
  | { readonly kind: "holds" }
  | { readonly kind: "release"; readonly userId: string; readonly position: number | null }
  | { readonly kind: "own"; readonly userId: string }
  | { readonly kind: "read" }
  | { readonly kind: "remove" };

/** What an operator allows holds. */
export type HoldLimits = {
  readonly holdSecondsMax: number;
  /** Null where the stock is the only limit. */
  readonly holdsMax: number | null;
};

/** What an operator sets. */
export type Settings = HoldLimits & {
  readonly amount: number;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly paused: boolean;
};

/** What the ledger calls what happened; `removed` stands for the end of a coupon, of which its own ledger cannot tell. */
export type EventKind = "created" | "changed" | "claimed" | "released" | "held" | "given_back" | "expired" | "removed";

/**
 * How an operation ended. What changes a coupon is called as its event is, also where it found nothing left to change: a
 * second release answers `released`, a change to what is there already `changed`, a give-back of nothing `given_back`.
 * `ended` is about several events: a `given_back` for each hold.
 */
export type Outcome =
  | Exclude<EventKind, "expired">
  | "replayed"
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
  | "invalid_request"
  // Nothing was changed: so it was answered, or so the network knows that never delivered it.
  | "unavailable"
  | "undelivered";

/** What an answer can tell besides. A fact that an answer does not show is absent, and is not checked. */
export type Facts = Partial<Settings> & {
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
  /** How many holds were ended. */
  readonly count?: number;
  /** Who holds a claim, in claim order. */
  readonly claimants?: readonly string[];
  /** Who holds a unit, in the order of the user ids. */
  readonly holders?: readonly string[];
};

export type Answer = Facts & {
  readonly is: Outcome;
  /**
   * The ledger's head when it was computed; 0 where there was no coupon. At the edge, the head at which the certificate was issued:
   * the ledger may have gone on since, as long as the answer is still true.
   */
  readonly seq: number;
  /** Which life of the coupon it is about, from 1; with seq 0, the life that was over by then, 0 before the first. Absent where nobody can tell. */
  readonly life?: number;
  /** The instant at which the object answered, where it says. */
  readonly at?: number;
  /** Refused by the Worker on the strength of a certificate. */
  readonly servedByEdge?: true;
};

/** One request. A retry, or a duplicate that the network made, is an operation of its own. */
export type Operation = {
  readonly call: Call;
  /** Who asked, for the story. */
  readonly client: string;
  /** When it was sent and when its answer had arrived, by one clock that only goes forward. */
  readonly startedAt: number;
  /** Null where nobody heard the answer; without an answer, when somebody stopped listening means nothing. */
  readonly endedAt: number | null;
  /** The coupon's own clock, in epoch milliseconds: not before the one, and, where the answer was heard, not after the other. */
  readonly clockFrom: number;
  readonly clockUntil: number | null;
  /** The name that the Worker gave to the request, the same over its own retries; null where it is not known. */
  readonly attempt: string | null;
  /** Null where the outcome is unknown: it may have happened, may not, and may happen later. */
  readonly answer: Answer | null;
};

/** One line of the ledger. */
export type LedgerEvent = {
  readonly kind: EventKind;
  /** Dense from 1 in each life; 0 with `removed`. */
  readonly seq: number;
  readonly at: number;
  readonly userId: string | null;
  readonly position: number | null;
  /** With `claimed`, where known: the key and the attempt that are stored with the claim. With `held`, where the hold was released: its attempt. */
  readonly key?: string | null;
  readonly attempt?: string;
  /** With `held`. */
  readonly expiresAt?: number;
  /** With `created` and `changed`: as it is from then on. */
  readonly settings?: Settings;
};

export type History = {
  readonly operations: readonly Operation[];
  /** All that happened, through all lives of the coupon, in order. */
  readonly events: readonly LedgerEvent[];
  /**
   * Who recorded it. A `client` is behind the Worker, which may deliver a repeatable call up to three times and does not call
   * what it then finds a replay. The `object` is asked directly: each delivery is an operation.
   */
  readonly seenFrom: "client" | "object";
  /** False where the object's clock was set back in between. */
  readonly isClockSteady: boolean;
};

/** Whether an answer says that nothing happened, nor ever will: then nothing else is to be learnt from it. */
export function isWithoutEffect({ is }: Answer): boolean {
  return is === "unavailable" || is === "undelivered";
}

/** Why a history is not one of a correct coupon. */
export type Violation = { readonly what: string; readonly operations: readonly Operation[] };
