// One delivery: what a sink is given, how it ends, and when the next one begins.

import { isExhausted, nextAttemptMs } from "../domain/backoff.ts";
import type { Instant } from "../domain/coupon.ts";
import type { OutboxCursor, OutboxPage, SinkLag } from "../domain/delivery.ts";
import { ENDPOINT_LOOK_MS_MAX, ENDPOINT_LOOK_MS_MIN, OWN_RETRY_MS_MAX, WEBHOOK_FAILING_MS_MAX } from "../domain/delivery-limits.ts";
import { nextEdgeAt } from "../domain/webhook-events.ts";
import type { Receiver } from "../read-model/webhooks.ts";
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

/** A failed attempt. `by` is what has failed: the endpoint, one that answers 410, or a part of Doorbuster. */
export type Failure = { readonly error: string; readonly by: "endpoint" | "gone" | "us" };

/** The sink has all, or there is more to deliver, or it waits until the time that it has set, or an attempt has failed. */
export type Delivered = "all" | "more" | "waits" | Failure;

/** Returns the cursor of a sink that has a whole page. */
export function positionAfter({ epoch, events, deletion }: OutboxPage, before: OutboxCursor | null): OutboxCursor {
  const seq = deletion?.seq ?? events.at(-1)?.seq;
  return { epoch, seq: seq ?? (before?.epoch === epoch ? before.seq : 0) };
}

/** Returns what changes at a sink whose attempt has failed. `random` is in [0, 1). Our own failures park no endpoint. */
export function afterFailure(sink: Sink, { error, by }: Failure, now: Instant, random: number): Partial<Sink> {
  const attemptCount = sink.attemptCount + 1;
  const failingSince = sink.failingSince ?? now;
  const failed = { attemptCount, failingSince, lastError: error };
  if (by === "gone") return { ...failed, nextAttemptAt: null, status: "disabled", statusAt: now };
  if (by === "endpoint" && isExhausted(failingSince, now)) return { ...failed, nextAttemptAt: null, status: "parked", statusAt: now };
  const pauseMs = nextAttemptMs(attemptCount, random);
  return { ...failed, nextAttemptAt: now + (by === "us" ? Math.min(pauseMs, OWN_RETRY_MS_MAX) : pauseMs) };
}

/** Whether an attempt may begin. */
export function isDue({ status, nextAttemptAt }: Sink, now: Instant): boolean {
  return status === "active" && (nextAttemptAt === null || nextAttemptAt <= now);
}

/** Whether an endpoint gets events, as far as its own settings say. */
export function isReceiving({ paused, disabledAt }: Receiver): boolean {
  return !paused && disabledAt === null;
}

/** Whether an endpoint's sink lacks an event up to `head`, or a milestone up to `now`. */
export function isBehind({ cursor, fold }: Sink, head: OutboxCursor | null, now: Instant): boolean {
  const edgeAt = fold === null ? null : nextEdgeAt(fold.sale, fold.at);
  return cursor?.epoch !== head?.epoch || cursor?.seq !== head?.seq || (edgeAt !== null && edgeAt <= now);
}

/** Returns when to look whether an endpoint receives again. The pauses grow with the time since it stopped, and end with null. */
export function nextLookAt({ updatedAt, disabledAt }: Receiver, { statusAt }: Sink, now: Instant): Instant | null {
  const sinceMs = now - Math.max(updatedAt, disabledAt ?? 0, statusAt);
  if (sinceMs >= WEBHOOK_FAILING_MS_MAX) return null;
  return now + Math.min(Math.max(sinceMs, ENDPOINT_LOOK_MS_MIN), ENDPOINT_LOOK_MS_MAX);
}

/** Compares a sink with the next page of its coupon's outbox. */
export function lagOf(sink: Sink, page: OutboxPage | null): SinkLag {
  const { id, cursor, status, attemptCount, failingSince, nextAttemptAt, lastError, deliveredAt } = sink;
  const state = { id, cursor, status, attemptCount, failingSince, nextAttemptAt, lastError, deliveredAt };
  if (page === null) return { ...state, lagEvents: 0, oldestAt: null };
  const { events, deletion, leftCount } = page;
  const lagEvents = events.length + (deletion === null ? 0 : 1) + leftCount;
  return { ...state, lagEvents, oldestAt: events[0]?.at ?? deletion?.at ?? null };
}
