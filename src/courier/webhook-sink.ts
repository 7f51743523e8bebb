// Delivers a coupon's events to one webhook endpoint, in order and one at a time.

import type { OutboxCursor } from "../domain/delivery.ts";
import { DELIVERY_PAGE_SIZE, WEBHOOK_CHECKPOINT_STEPS, WEBHOOK_MESSAGES_PER_CALL_MAX } from "../domain/delivery-limits.ts";
import { steps, type Step } from "../domain/webhook-events.ts";
import type { Endpoint } from "../read-model/webhooks.ts";
import { send } from "../webhooks/send.ts";
import { targetFault, type WebhookTargets } from "../domain/webhook-target.ts";
import type { Delivered, Delivery } from "./delivery.ts";
import type { Sink, SinkStore } from "./sink-store.ts";

/** Sends message after message until the endpoint has all, an attempt fails, or time is up. Throws if the coupon can't answer. */
export async function deliverToEndpoint(
  endpoint: Endpoint,
  targets: WebhookTargets,
  { name, sink, store, read, deadline }: Delivery,
): Promise<Delivered> {
  const fault = targetFault(endpoint.url, targets);
  if (fault !== null) return { error: fault, isGone: false };
  const progress = new Progress(store, sink);
  for (let sentCount = 0; ;) {
    const { cursor } = progress.sink;
    const page = await read(cursor, DELIVERY_PAGE_SIZE);
    if (page === null) return "all";
    for (const step of steps(cursor?.epoch === page.epoch ? progress.sink.fold : null, name, page)) {
      if (progress.start !== null && isAt(progress.start, step)) progress.start = null;
      for (const message of step.messages) {
        if (progress.start !== null || message.at < sink.fromAt || !endpoint.events.includes(message.type)) continue;
        const sent = await send(endpoint, message, Date.now());
        if (!sent.ok) return progress.store() ? { error: sent.error, isGone: sent.isGone } : "more";
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
}

/** The progress of one delivery. Steps that it has passed, but not stored, are sent again after a crash. */
class Progress {
  readonly #store: SinkStore;
  sink: Sink;
  start: OutboxCursor | null;
  deliveredAt: number | null;
  unstoredCount = 0;
  #last: Step | null = null;

  constructor(store: SinkStore, sink: Sink) {
    this.#store = store;
    this.sink = sink;
    this.start = sink.start;
    this.deliveredAt = sink.deliveredAt;
  }

  passed(step: Step): void {
    this.#last = step;
    this.unstoredCount += 1;
  }

  /** Stores the steps passed so far. Returns false if the sink was reset meanwhile: then this delivery must end. */
  store(): boolean {
    if (this.#last === null) return true;
    const { cursor, fold } = this.#last;
    const advanced = this.#store.advance(this.sink, { cursor, fold, start: this.start, deliveredAt: this.deliveredAt });
    this.#last = null;
    this.unstoredCount = 0;
    if (advanced !== null) this.sink = advanced;
    return advanced !== null;
  }
}

function isAt(start: OutboxCursor, { cursor }: Step): boolean {
  return cursor.epoch === start.epoch && cursor.seq >= start.seq;
}
