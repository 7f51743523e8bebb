// The Durable Object that delivers one coupon's ledger to its sinks: the read model, and webhook endpoints.

import { DurableObject } from "cloudflare:workers";

import { isExhausted, nextAttemptMs } from "../domain/backoff.ts";
import type { OutboxCursor, OutboxPage, SinkLag } from "../domain/delivery.ts";
import {
  COURIER_ALARM_MS,
  COURIER_PAUSE_MS_MIN,
  DELIVERY_HANGS_MS,
  DELIVERY_MS_MAX,
  OUTBOX_MS_MAX,
  READ_MODEL_RETRY_MS_MAX,
} from "../domain/delivery-limits.ts";
import { ALARM_RETRY_MS_MIN } from "../domain/limits.ts";
import type { CouponCalls, CourierCalls } from "../domain/rpc.ts";
import { edgeOf } from "../domain/webhook-events.ts";
import { log, logFailure } from "../log.ts";
import { disableEndpoint, type Endpoint } from "../read-model/webhooks.ts";
import type { WebhookTargets } from "../domain/webhook-target.ts";
import type { Delivered, Delivery } from "./delivery.ts";
import { EndpointList } from "./endpoint-list.ts";
import { deliverToReadModel } from "./read-model-sink.ts";
import { D1_SINK, SinkStore, type Sink } from "./sink-store.ts";
import { deliverToEndpoint } from "./webhook-sink.ts";
import { within } from "./within.ts";

type Branded<T> = DurableObjectNamespace<T & Rpc.DurableObjectBranded>;
/** The calls that only a courier makes, of itself. */
type OwnCalls = { deliver(sinkId: string): Promise<"more" | "done"> };
type CourierEnv = {
  readonly COUPONS: Branded<CouponCalls>;
  readonly COURIERS: Branded<CourierCalls & OwnCalls>;
  readonly DB?: D1Database;
  readonly WEBHOOK_TARGETS?: string;
};

const NAME = "name";

/**
 * The courier of one coupon. Its name is the coupon's. An alarm is set while anything may be undelivered, so a crash
 * loses no event. Each sink has a cursor, so a slow one delays no other.
 */
export class CourierObject extends DurableObject<CourierEnv> implements CourierCalls, OwnCalls {
  readonly #store: SinkStore;
  readonly #endpoints: EndpointList;
  /** The sinks that are delivered to now. The value is whether news came meanwhile. */
  readonly #running = new Map<string, { hasNews: boolean }>();
  /** Calls and deliveries that may still start others. */
  #workCount = 0;
  #beginCount = 0;
  /** Whether the coupon may forget something, as the last read of the outbox has shown. */
  #hasDeleted = false;
  /** Whether the last read of the list of endpoints has failed. Then a sink may be missing. */
  #isListStale = false;

  constructor(ctx: DurableObjectState, env: CourierEnv) {
    super(ctx, env);
    this.#store = new SinkStore(ctx.storage.kv);
    this.#endpoints = new EndpointList(ctx.storage.kv, env.DB);
  }

  async notify(): Promise<void> {
    await this.#begin();
  }

  /** Throws only if no alarm can be set. Then the platform calls it again. */
  override async alarm(): Promise<void> {
    await this.#begin();
  }

  async state(): Promise<readonly SinkLag[] | null> {
    return Promise.all(this.#store.all().map((sink) => this.#lagOf(sink))).catch(() => null);
  }

  async replay(endpointId: string, fromSeq: number): Promise<boolean> {
    const endpoint = (await this.#ownEndpoints()).endpoints.find(({ id }) => id === endpointId);
    const page = endpoint === undefined ? null : await this.#read(null, 1);
    if (endpoint === undefined || page === null) return false;
    const { epoch } = await this.#living(page);
    const sink = this.#store.add(endpointId, endpoint.createdAt);
    // The milestones follow from the whole ledger, so it is read from the beginning, and sent from `fromSeq` on.
    this.#store.reset(sink, { cursor: null, fold: null, fromAt: 0, start: { epoch, seq: fromSeq }, statusAt: Date.now() });
    await this.#begin();
    return true;
  }

  async rebuild(): Promise<void> {
    this.#store.reset(this.#store.add(D1_SINK, 0), { cursor: null, isRebuilding: true });
    await this.#begin();
  }

  /** Delivers to one sink for a while. A call of its own, because the platform bounds the outgoing requests of each call. */
  async deliver(sinkId: string): Promise<"more" | "done"> {
    const sink = this.#store.get(sinkId);
    if (sink === undefined || !isDue(sink, Date.now())) return "done";
    let delivered: Delivered;
    try {
      delivered = await this.#deliverTo(sink);
    } catch (cause) {
      delivered = { error: String(cause), isGone: false };
    }
    if (delivered === "more") return "more";
    const current = this.#store.get(sinkId);
    if (current === undefined) return "done";
    if (delivered !== "all") await this.#failed(current, delivered);
    else if (current.nextAttemptAt !== null) this.#store.advance(current, {});
    return "done";
  }

  #deliverTo(sink: Sink): Promise<Delivered> {
    const delivery: Delivery = {
      name: this.#name,
      sink,
      store: this.#store,
      read: (after, limit) => this.#read(after, limit),
      deadline: Date.now() + DELIVERY_MS_MAX,
    };
    if (sink.id === D1_SINK) return this.env.DB === undefined ? Promise.resolve("all") : deliverToReadModel(this.env.DB, delivery);
    const endpoint = this.#endpoints.get(sink.id);
    if (endpoint === undefined || !isReceiving(endpoint)) return Promise.resolve("all");
    return deliverToEndpoint(endpoint, targetsOf(this.env), delivery);
  }

  async #failed(sink: Sink, { error, isGone }: { readonly error: string; readonly isGone: boolean }): Promise<void> {
    const now = Date.now();
    const failingSince = sink.failingSince ?? now;
    const attemptCount = sink.attemptCount + 1;
    const isEndpoint = sink.id !== D1_SINK;
    const pauseMs = nextAttemptMs(attemptCount, Math.random());
    const nextAttemptAt = now + (isEndpoint ? pauseMs : Math.min(pauseMs, READ_MODEL_RETRY_MS_MAX));
    const failure = { attemptCount, failingSince, nextAttemptAt, lastError: error };
    const isParked = isEndpoint && isExhausted(failingSince, now);
    const status = isGone ? "disabled" : isParked ? "parked" : "active";
    this.#store.update(sink, { ...failure, ...(status === "active" ? {} : { status, statusAt: now, nextAttemptAt: null }) });
    log("delivery_failed", { coupon: this.#name, sink: sink.id, attempts: attemptCount, status, error });
    if (isGone && this.env.DB !== undefined) await disableEndpoint(this.env.DB, sink.id, now).catch(() => undefined);
  }

  /** Makes sure of an alarm, and starts deliveries. */
  async #begin(): Promise<void> {
    this.#workCount += 1;
    this.#beginCount += 1;
    const { storage, id } = this.ctx;
    // An alarm may not know the name of its object.
    if (id.name !== undefined && storage.kv.get(NAME) === undefined) storage.kv.put(NAME, id.name);
    const safeAt = Date.now() + COURIER_ALARM_MS;
    const alarmAt = await storage.getAlarm();
    if (alarmAt === null || alarmAt > safeAt) await storage.setAlarm(safeAt);
    this.ctx.waitUntil(this.#startAll().finally(() => this.#worked()));
  }

  async #startAll(): Promise<void> {
    this.#start(this.#store.add(D1_SINK, 0));
    const { endpoints, isFresh } = await this.#ownEndpoints();
    this.#isListStale = !isFresh && this.env.DB !== undefined;
    for (const endpoint of endpoints) {
      const sink = this.#store.add(endpoint.id, endpoint.createdAt);
      if (!isReceiving(endpoint)) continue;
      // An operator who has changed the endpoint wants another attempt.
      const isRevived = sink.status !== "active" && endpoint.updatedAt > sink.statusAt;
      this.#start((isRevived ? this.#store.reset(sink, {}) : null) ?? sink);
    }
    if (!isFresh) return;
    const ids = new Set([D1_SINK, ...endpoints.map(({ id }) => id)]);
    for (const { id } of this.#store.all()) if (!ids.has(id)) this.#store.remove(id);
  }

  /** Returns the endpoints that receive this coupon's events. */
  async #ownEndpoints(): Promise<{ readonly endpoints: readonly Endpoint[]; readonly isFresh: boolean }> {
    const name = this.#name;
    const { endpoints, isFresh } = await this.#endpoints.read();
    return { endpoints: endpoints.filter(({ coupons }) => coupons === null || coupons.includes(name)), isFresh };
  }

  #start(sink: Sink): void {
    const running = this.#running.get(sink.id);
    if (running !== undefined) running.hasNews = true;
    else if (isDue(sink, Date.now())) this.ctx.waitUntil(this.#run(sink.id));
  }

  async #run(sinkId: string): Promise<void> {
    this.#workCount += 1;
    const state = { hasNews: false };
    this.#running.set(sinkId, state);
    try {
      let result: "more" | "done";
      do {
        state.hasNews = false;
        result = await within(DELIVERY_HANGS_MS, this.env.COURIERS.get(this.ctx.id).deliver(sinkId));
        // A long delivery respects changes of the endpoint.
        if (result === "more" && sinkId !== D1_SINK) await this.#endpoints.read();
      } while (result === "more" || state.hasNews);
    } catch (cause) {
      logFailure("delivery_interrupted", { coupon: this.#name, sink: sinkId, cause });
      // If it hangs and goes on later, it must not move the cursor of the next delivery.
      const sink = this.#store.get(sinkId);
      if (sink !== undefined) this.#store.interrupt(sink, Date.now() + ALARM_RETRY_MS_MIN);
    }
    this.#running.delete(sinkId);
    await this.#worked();
  }

  /** Ends a piece of work. The last one sets the alarm for what is left, or clears it. Never throws. */
  async #worked(): Promise<void> {
    this.#workCount -= 1;
    if (this.#workCount > 0) return;
    try {
      if (this.#hasDeleted && !this.#isListStale && (await this.#forget())) return;
      if (this.#workCount > 0) return;
      const nextAt = this.#nextAt();
      if (nextAt === null) await this.ctx.storage.deleteAlarm();
      else await this.ctx.storage.setAlarm(Math.max(nextAt, Date.now() + COURIER_PAUSE_MS_MIN));
    } catch (cause) {
      logFailure("courier_failed", { coupon: this.#name, cause });
    }
  }

  /** When there is something to do: a next attempt, or the edge of a sale window. Null if all is done. */
  #nextAt(): number | null {
    const active = this.#store.all().filter(({ id, status }) => status === "active" && this.#isReceiving(id));
    const listAt = this.#isListStale ? Date.now() + READ_MODEL_RETRY_MS_MAX : Infinity;
    const at = Math.min(listAt, ...active.map(({ nextAttemptAt, fold }) => nextAttemptAt ?? edgeOf(fold) ?? Infinity));
    return at === Infinity ? null : at;
  }

  /** Lets the coupon discard ledgers that all sinks have. Returns true if nothing is left of the coupon and its courier. */
  async #forget(): Promise<boolean> {
    const active = this.#store.all().filter(({ status, id }) => status === "active" && this.#isReceiving(id));
    const beginCount = this.#beginCount;
    this.#hasDeleted = false;
    const result = await this.#coupon().forget(active.map(({ cursor }) => cursor));
    // The alarm is still set, and tries again.
    if (!result.ok) throw new Error(`the coupon can't forget: ${result.code}`);
    if (!result.isEmpty || this.#beginCount > beginCount) return false;
    await this.ctx.storage.deleteAll();
    return true;
  }

  #isReceiving(sinkId: string): boolean {
    const endpoint = this.#endpoints.get(sinkId);
    return sinkId === D1_SINK ? this.env.DB !== undefined : endpoint !== undefined && isReceiving(endpoint);
  }

  async #read(after: OutboxCursor | null, limit: number): Promise<OutboxPage | null> {
    const result = await within(OUTBOX_MS_MAX, this.#coupon().outbox(after, limit));
    if (!result.ok) throw new Error(`the coupon can't be read: ${result.code}`);
    const { page } = result;
    // Without a page nothing is left of the coupon.
    this.#hasDeleted = page?.hasDeleted ?? true;
    return page;
  }

  /** Returns the page of the incarnation that lives now, or else the last one. */
  async #living(first: OutboxPage): Promise<OutboxPage> {
    let page = first;
    for (;;) {
      const next = await this.#read({ epoch: page.epoch, seq: Number.MAX_SAFE_INTEGER }, 1);
      if (next === null || next.epoch === page.epoch) return page;
      page = next;
    }
  }

  async #lagOf(sink: Sink): Promise<SinkLag> {
    const { fold: _fold, fromAt: _fromAt, start: _start, isRebuilding: _rebuilding, statusAt: _at, generation: _, ...state } = sink;
    const page = await this.#read(sink.cursor, 1);
    if (page === null) return { ...state, lagEvents: 0, oldestAt: null };
    const { events, deletion, leftCount } = page;
    const lagEvents = events.length + (deletion === null ? 0 : 1) + leftCount;
    return { ...state, lagEvents, oldestAt: events[0]?.at ?? deletion?.at ?? null };
  }

  #coupon(): CouponCalls {
    return this.env.COUPONS.get(this.env.COUPONS.idFromName(this.#name));
  }

  get #name(): string {
    return this.ctx.storage.kv.get<string>(NAME) ?? this.ctx.id.name ?? "";
  }
}

function isDue({ status, nextAttemptAt }: Sink, now: number): boolean {
  return status === "active" && (nextAttemptAt === null || nextAttemptAt <= now);
}

function isReceiving({ paused, disabledAt }: Endpoint): boolean {
  return !paused && disabledAt === null;
}

function targetsOf({ WEBHOOK_TARGETS }: CourierEnv): WebhookTargets {
  return WEBHOOK_TARGETS === "any" ? "any" : "public";
}
