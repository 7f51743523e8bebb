// Delivers a coupon's events to one webhook endpoint, in order and one at a time.

import type { OutboxCursor, OutboxPage } from "../domain/delivery.ts";
import {
  DELIVERY_PAGE_SIZE,
  DELIVERY_PAGES_PER_CALL_MAX,
  WEBHOOK_CHECKPOINT_STEPS,
  WEBHOOK_MESSAGES_PER_CALL_MAX,
} from "../domain/delivery-limits.ts";
import { steps, type Step } from "../domain/webhook-events.ts";
import type { Receiver } from "../read-model/webhooks.ts";
import { send } from "../webhooks/send.ts";
import { targetFault, type WebhookTargets } from "../domain/webhook-target.ts";
import type { Delivered, Delivery } from "./delivery.ts";
import type { Sink, SinkStore } from "./sink-store.ts";

/** Sends message after message until the endpoint has all, an attempt fails, or time is up. Throws if the coupon can't answer. */
export async function deliverToEndpoint(
  endpoint: Receiver,
  targets: WebhookTargets,
  { name, sink, store, read, deadline }: Delivery,
): Promise<Delivered> {
  const fault = targetFault(endpoint.url, targets);
  if (fault !== null) return { error: `url ${fault}`, by: "endpoint" };
  const progress = new Progress(store, sink);
  let sentCount = 0;
  for (let pageCount = 0; pageCount < DELIVERY_PAGES_PER_CALL_MAX; pageCount += 1) {
    const { cursor } = progress.sink;
    const page = await read(cursor, DELIVERY_PAGE_SIZE);
    if (page === null) return "all";
    progress.enter(page);
    for (const step of steps(cursor?.epoch === page.epoch ? progress.sink.fold : null, name, page)) {
      progress.begin(step);
      for (const message of step.messages) {
        if (message.at < progress.fromAt || !endpoint.events.includes(message.type)) continue;
        const sent = await send(endpoint, message, Date.now());
        if (!sent.ok) return progress.store() ? { error: sent.error, by: sent.isGone ? "gone" : "endpoint" } : "more";
        progress.deliveredAt = Date.now();
        sentCount += 1;
      }
      progress.passed(step);
      if (sentCount >= WEBHOOK_MESSAGES_PER_CALL_MAX || Date.now() >= deadline) {
        progress.store();
        return "more";
      }
      if (progress.unstoredCount >= WEBHOOK_CHECKPOINT_STEPS && !progress.store()) return "more";
    }
    if (!progress.store()) return "more";
    if (!page.hasMore) return "all";
  }
  return "more";
}

/** The progress of one delivery. Steps that it has passed, but not stored, are sent again after a crash. */
class Progress {
  readonly #store: SinkStore;
  sink: Sink;
  #start: OutboxCursor | null;
  fromAt: number;
  deliveredAt: number | null;
  unstoredCount = 0;
  #last: Step | null = null;

  constructor(store: SinkStore, sink: Sink) {
    this.#store = store;
    this.sink = sink;
    this.#start = sink.start;
    this.fromAt = sink.fromAt;
    this.deliveredAt = sink.deliveredAt;
  }

  /**
   * Passes what a restored coupon had when it was backed up: the coupon of the backup has sent that. A replay, whose start comes
   * later, sends it.
   */
  enter({ events: [first] }: OutboxPage): void {
    if (first?.restored !== undefined) this.fromAt = Math.max(this.fromAt, first.restored.asOf + 1);
  }

  /** From the start of a replay on, everything is sent. */
  begin({ cursor }: Step): void {
    if (this.#start === null) return;
    // Another incarnation than that of the start is a later one.
    if (cursor.epoch === this.#start.epoch && cursor.seq < this.#start.seq) return;
    this.#start = null;
    this.fromAt = 0;
  }

  passed(step: Step): void {
    this.#last = step;
    this.unstoredCount += 1;
  }

  /** Stores the steps passed so far. Returns false if the sink was reset meanwhile: then this delivery must end. */
  store(): boolean {
    if (this.#last === null) return true;
    const { cursor, fold } = this.#last;
    const advanced = this.#store.advance(this.sink, {
      cursor,
      fold,
      start: this.#start,
      fromAt: this.fromAt,
      deliveredAt: this.deliveredAt,
    });
    this.#last = null;
    this.unstoredCount = 0;
    if (advanced !== null) this.sink = advanced;
    return advanced !== null;
  }
}
