// The sinks of one coupon: how far each has got. In the courier's own storage.

import type { OutboxCursor, SinkState } from "../domain/delivery.ts";
import type { Fold } from "../domain/webhook-events.ts";

/** The sinks of the read model and of backups. All other sinks are webhook endpoints, named by their ids. */
export const D1_SINK = "d1";
export const BACKUP_SINK = "r2";

/** A sink as it is stored. */
export type Sink = SinkState & {
  /** The milestones of a webhook sink so far. */
  readonly fold: Fold | null;
  /** Messages about earlier instants are not sent, but for a replay. */
  readonly fromAt: number;
  /** A replay begins at this event. */
  readonly start: OutboxCursor | null;
  /** While true, the rows of each incarnation are erased before they are written again. */
  readonly isRebuilding: boolean;
  /** Whether the database says that this sink fails. */
  readonly isReported: boolean;
  /** When the status was set. */
  readonly statusAt: number;
  /** Grows with each reset. The progress of a delivery that began before a reset is not stored. */
  readonly generation: number;
};

const NO_FAILURES = { attemptCount: 0, failingSince: null, nextAttemptAt: null, lastError: null } as const;
const PREFIX = "sink:";

export class SinkStore {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  /** Returns all sinks. Writes nothing. */
  all(): Sink[] {
    return Array.from(this.#kv.list<Sink>({ prefix: PREFIX }), ([, sink]) => sink);
  }

  /** Returns a sink, or undefined. Writes nothing. */
  get(id: string): Sink | undefined {
    return this.#kv.get<Sink>(PREFIX + id);
  }

  /** Returns a sink. A new one is for events from `fromAt` on. Writes 1 row if it is new. */
  add(id: string, fromAt: number): Sink {
    const known = this.get(id);
    if (known !== undefined) return known;
    const progress = { cursor: null, fold: null, start: null, isRebuilding: false, isReported: false, deliveredAt: null } as const;
    const sink: Sink = { id, fromAt, status: "active", statusAt: 0, generation: 0, ...progress, ...NO_FAILURES };
    this.#kv.put(PREFIX + id, sink);
    return sink;
  }

  /** Changes a sink. Returns null, and changes nothing, if it was reset or removed after `before` was read. Writes 1 row. */
  update(before: Sink, changes: Partial<Sink>): Sink | null {
    if (this.get(before.id)?.generation !== before.generation) return null;
    const sink = { ...before, ...changes };
    this.#kv.put(PREFIX + before.id, sink);
    return sink;
  }

  /** Stores the progress of a delivery, which ends the failures before it. As {@link SinkStore.update}. */
  advance(before: Sink, progress: Partial<Sink>): Sink | null {
    return this.update(before, { ...NO_FAILURES, ...progress });
  }

  /** Begins a sink anew. A delivery that runs for it now stores no more progress. As {@link SinkStore.update}. */
  reset(before: Sink, changes: Partial<Sink>): Sink | null {
    return this.update(before, { ...NO_FAILURES, status: "active", ...changes, generation: before.generation + 1 });
  }

  /** Sends the events from `start` on again. What the sink has not received is still sent. As {@link SinkStore.update}. */
  replay(before: Sink, start: OutboxCursor, now: number): Sink | null {
    const { cursor } = before;
    // A sink that is in an earlier incarnation, or is new, comes to the start by itself.
    if (cursor?.epoch !== start.epoch) return this.reset(before, { start, statusAt: now });
    const seq = Math.min(start.seq, cursor.seq + 1);
    // The milestones follow from the whole ledger, so it is read from its beginning.
    const again = { cursor: { ...start, seq: 0 }, fold: null, fromAt: Number.MAX_SAFE_INTEGER, start: { ...start, seq } };
    return this.reset(before, { ...again, statusAt: now });
  }

  /** Ends what runs for a sink: it stores no more progress. The next attempt begins soon. As {@link SinkStore.update}. */
  interrupt(before: Sink, nextAttemptAt: number): Sink | null {
    return this.update(before, { nextAttemptAt, generation: before.generation + 1 });
  }

  /** Removes a sink. Writes 1 row. */
  remove(id: string): void {
    this.#kv.delete(PREFIX + id);
  }
}
