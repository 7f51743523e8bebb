// What a coupon is: its facts, and what follows from them.

/** An instant, in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** The half-open sale window `[startsAt, endsAt)`; null where it is open-ended. */
export type SaleWindow = {
  readonly startsAt: Instant | null;
  readonly endsAt: Instant | null;
};

/** What an operator sets, and may change later. */
export type Settings = SaleWindow & {
  readonly amount: number;
  /** Longest time that a unit may be held, in seconds. */
  readonly holdSecondsMax: number;
  /** Most holds that may run at once; null where the stock is the only limit. */
  readonly holdsMax: number | null;
};

/** What an operator asks for when creating a coupon. */
export type NewCoupon = Settings & { readonly name: string };

/** A coupon without its claims and holds. */
export type Coupon = NewCoupon & {
  /** Units given for good. */
  readonly claimed: number;
  /** Units kept for users until an instant. */
  readonly held: number;
  readonly paused: boolean;
  /** The position of the claim granted last, 0 before the first. Positions are never used twice. */
  readonly lastPosition: number;
  /** The ledger's head: the `seq` of what happened last. */
  readonly seq: number;
  readonly createdAt: Instant;
  /** Distinguishes this coupon from a deleted one of the same name. */
  readonly epoch: string;
  /** The latest instant this coupon acted upon; its time never goes back behind it. */
  readonly clockAt: Instant;
  /** No hold expires before this instant; null while nothing is held. A bound: the hold that gave it may have ended otherwise. */
  readonly nextExpiryAt: Instant | null;
};

export type SaleState = "ended" | "scheduled" | "paused" | "sold_out" | "open";

/** Units that can still be claimed. Never negative. */
export function remaining(coupon: Coupon): number {
  return coupon.amount - coupon.claimed - coupon.held;
}

/** Revoked claims. Derived: every grant takes a new position, and only a revoke lowers `claimed`. */
export function revokedCount(coupon: Coupon): number {
  return coupon.lastPosition - coupon.claimed;
}

/** Whether the sale window is yet to open, open, or over at `now`, whatever else holds. */
export function windowPhase({ startsAt, endsAt }: SaleWindow, now: Instant): "before" | "within" | "after" {
  if (endsAt !== null && now >= endsAt) return "after";
  return startsAt !== null && now < startsAt ? "before" : "within";
}

/** The state of the sale at `now`; where several apply, the first of {@link SaleState}. */
export function saleState(coupon: Coupon, now: Instant): SaleState {
  const phase = windowPhase(coupon, now);
  if (phase === "after") return "ended";
  if (phase === "before") return "scheduled";
  if (coupon.paused) return "paused";
  if (remaining(coupon) === 0) return "sold_out";
  return "open";
}

/** The instant after `now` at which time alone next changes what a coupon shows: a window edge, or a hold that expires. */
export function unchangedUntil({ startsAt, endsAt, nextExpiryAt }: Coupon, now: Instant): Instant {
  return Math.min(...[startsAt, endsAt, nextExpiryAt].map((at) => (at !== null && at > now ? at : Infinity)));
}
