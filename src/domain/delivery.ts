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
  /** Whether the incarnation was deleted. Then time makes no more milestones. */
  readonly isDeleted: boolean;
  /** The coupon at `now`, or as it was when it was deleted. It can be ahead of `events`. */
  readonly coupon: Coupon;
  /**
   * The coupon's time. If the page ends at the head of the ledger, no event before this instant is missing, and later
   * events have later or equal times.
   */
  readonly now: Instant;
  /** Whether more events follow in the coupon's object, of this incarnation or of a later one. And how many. */
  readonly hasMore: boolean;
  readonly leftCount: number;
  /** Whether the object keeps ledgers of deleted incarnations, which it can forget when all sinks have them. */
  readonly hasDeleted: boolean;
};

export const SINK_STATUSES = ["active", "parked", "disabled"] as const;

/** What the operator sees of a sink. */
export type SinkState = {
  /** `d1`, `r2`, or the id of a webhook endpoint. */
  readonly id: string;
  /** Null before the first event. */
  readonly cursor: OutboxCursor | null;
  /** A parked sink has failed for too long, and a disabled one has answered 410. Neither is tried again by itself. */
  readonly status: (typeof SINK_STATUSES)[number];
  /** Failed attempts since the last success. */
  readonly attemptCount: number;
  readonly failingSince: Instant | null;
  readonly nextAttemptAt: Instant | null;
  readonly lastError: string | null;
  /** When the sink last took something. */
  readonly deliveredAt: Instant | null;
};

/** A sink compared with the ledger: how many events it does not have, and when the oldest of them happened. */
export type SinkLag = SinkState & { readonly lagEvents: number; readonly oldestAt: Instant | null };
