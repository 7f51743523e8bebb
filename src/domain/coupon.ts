// What a coupon is: its facts, and what follows from them.

/** An instant, in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** The half-open sale window `[startsAt, endsAt)`; null where it is open-ended. */
export type SaleWindow = {
  readonly startsAt: Instant | null;
  readonly endsAt: Instant | null;
};

/** What an operator asks for when creating a coupon. */
export type NewCoupon = SaleWindow & {
  readonly name: string;
  readonly amount: number;
};

/** Everything that is known of a coupon, but for who holds its units. */
export type Coupon = NewCoupon & {
  /** Units given for good. */
  readonly claimed: number;
  /** Units kept for somebody until an instant. */
  readonly held: number;
  readonly paused: boolean;
  /** The position of the claim granted last, 0 before the first. Positions are never used twice. */
  readonly lastPosition: number;
  /** The ledger's head: the `seq` of what happened last. */
  readonly seq: number;
  readonly createdAt: Instant;
  /** Tells this coupon from one of the same name that was deleted before. */
  readonly epoch: string;
  /** The latest instant this coupon acted upon; its time never goes back behind it. */
  readonly clockAt: Instant;
};

export type SaleState = "ended" | "scheduled" | "paused" | "sold_out" | "open";

/** Units that can still be claimed. Never negative. */
export function remaining(coupon: Coupon): number {
  return coupon.amount - coupon.claimed - coupon.held;
}

/** The state of the sale at `now`; where several fit, the first of {@link SaleState} is told. */
export function saleState(coupon: Coupon, now: Instant): SaleState {
  if (coupon.endsAt !== null && now >= coupon.endsAt) return "ended";
  if (coupon.startsAt !== null && now < coupon.startsAt) return "scheduled";
  if (coupon.paused) return "paused";
  if (remaining(coupon) === 0) return "sold_out";
  return "open";
}
