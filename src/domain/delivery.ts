// Delivery: what a courier reads from a coupon, and what it knows of each sink.

import type { Coupon, Instant } from "./coupon.ts";
import type { LedgerEvent } from "./ledger-event.ts";

/** How far a sink has got: it has every event of the incarnation `epoch` up to `seq`, and all earlier incarnations. */
export type OutboxCursor = { readonly epoch: string; readonly seq: number };

/** The deletion of a coupon. It is the last event of its incarnation, one seq above the ledger's head. */
export type Deletion = Pick<LedgerEvent, "seq" | "at" | "actor">;

/** The next events of one incarnation of a coupon, in their order. */
export type OutboxPage = {
  readonly epoch: string;
  /** The events after the cursor. May be empty. */
  readonly events: readonly LedgerEvent[];
  /** Set on the page that ends a deleted incarnation. */
  readonly deletion: Deletion | null;
  /** The coupon at `now`, or as it was when it was deleted. It can be ahead of `events`. */
  readonly coupon: Coupon;
  /**
   * The coupon's time. If the page ends at the head of the ledger, no event before this instant is missing, and later
   * events have later or equal times.
   */
  readonly now: Instant;
  /** Whether more events follow in the coupon's object, of this incarnation or of a later one. */
  readonly hasMore: boolean;
};
