// One delivery: what a sink is given, and how it ends.

import type { OutboxCursor, OutboxPage } from "../domain/delivery.ts";
import type { Sink, SinkStore } from "./sink-store.ts";

/** A sink, and how to read the coupon's outbox for it. */
export type Delivery = {
  /** The coupon's name. */
  readonly name: string;
  readonly sink: Sink;
  readonly store: SinkStore;
  /** Reads events after a cursor. Null if the coupon's object has none. Throws if it can't answer. */
  readonly read: (after: OutboxCursor | null, limit: number) => Promise<OutboxPage | null>;
  /** Epoch milliseconds. A delivery that goes on for longer is continued by another call. */
  readonly deadline: number;
};

/** The sink has all, or there is more to deliver, or an attempt has failed. */
export type Delivered = "all" | "more" | { readonly error: string; readonly isGone: boolean };

/** Returns the cursor of a sink that has a whole page. */
export function positionAfter({ epoch, events, deletion }: OutboxPage, before: OutboxCursor | null): OutboxCursor {
  const seq = deletion?.seq ?? events.at(-1)?.seq;
  return { epoch, seq: seq ?? (before?.epoch === epoch ? before.seq : 0) };
}
