// The words of the reference model: what is asked of a coupon, what is answered, and what its ledger records.

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

/** What an answer can log besides. A fact that an answer does not show is absent, and is not checked. */
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
  /** Which incarnation of the coupon it is about, from 1; with seq 0, the incarnation that was over by then, 0 before the first. Absent where nobody can tell. */
  readonly incarnation?: number;
  /** The instant at which the object answered, where it says. */
  readonly at?: number;
  /** Refused by the Worker on the strength of a certificate. */
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
  /** With `claimed`, where known: the key and the attempt that are stored with the claim. With `held`, where the hold was released: its attempt. */
  readonly key?: string | null;
  readonly attempt?: string;
  /** With `held`. */
  readonly expiresAt?: number;
  /** With `created` and `changed`: as it is from then on. */
  readonly settings?: Settings;
};
