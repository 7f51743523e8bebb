// The Durable Object that delivers one coupon's ledger to its sinks: the read model, and webhook endpoints.

import { DurableObject } from "cloudflare:workers";

import { withDeadline } from "../deadline.ts";
import { BACKUP_HANGS_MS } from "../domain/backup-limits.ts";
import type { OutboxCursor, OutboxPage, SinkLag } from "../domain/delivery.ts";
import {
  COURIER_ALARM_MS,
  COURIER_PAUSE_MS_MAX,
  COURIER_PAUSE_MS_MIN,
  DELIVERY_HANGS_MS,
  DELIVERY_MS_MAX,
  OUTBOX_MS_MAX,
} from "../domain/delivery-limits.ts";
import { ALARM_RETRY_MS_MIN } from "../domain/limits.ts";
import type { CouponCalls, CourierCalls } from "../domain/rpc.ts";
import { edgeOf, nextEdgeAt } from "../domain/webhook-events.ts";
import { log, logFailure } from "../log.ts";
import type { WebhookTargets } from "../domain/webhook-target.ts";
import { deliverToBackups } from "./backup-sink.ts";
import { afterFailure, isBehind, isDue, isReceiving, lagOf, nextLookAt, type Delivered, type Delivery, type Failure } from "./delivery.ts";
import { EndpointList } from "./endpoint-list.ts";
import { clearReports, reportSink } from "./failure-report.ts";
import { deliverToReadModel } from "./read-model-sink.ts";
import { SharedReads } from "./shared-reads.ts";
import { BACKUP_SINK, D1_SINK, SinkStore, type Sink } from "./sink-store.ts";
import { deliverToEndpoint } from "./webhook-sink.ts";

type Branded<T> = DurableObjectNamespace<T & Rpc.DurableObjectBranded>;
/** The calls that only a courier makes, of itself. */
type OwnCalls = { deliver(sinkId: string): Promise<"more" | "done"> };
type CourierEnv = {
  readonly COUPONS: Branded<CouponCalls>;
  readonly COURIERS: Branded<CourierCalls & OwnCalls>;
  readonly DB?: D1Database;
  /** Not in wrangler.toml. Without it no backups are taken. */
  readonly BACKUPS?: R2Bucket;
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
  readonly #reads = new SharedReads();
  /** The sinks that are delivered to now. The value is whether news came meanwhile. */
  readonly #running = new Map<string, { hasNews: boolean }>();
  /** An instance that an alarm has begun knows its name from storage alone, which may be discarded. */
  #knownName: string | undefined;
  /** Calls and deliveries that may still start others. */
  #workCount = 0;
  #beginCount = 0;
  /** The next edge of the sale window, as the last read of the outbox has shown. It wakes endpoints that are new by then. */
  #nextEdgeAt: number | null = null;
  /** Whether the coupon keeps what it can discard once all sinks have it. */
  #mayForget = false;
  /** Whether all sinks are known. Otherwise an endpoint may wait for events that no other sink waits for. */
  #areSinksKnown = false;

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
    const lags = this.#store.all().map(async (sink) => lagOf(sink, await this.#read(sink.cursor, 1)));
    return Promise.all(lags).catch(() => null);
  }

  async replay(endpointId: string, fromSeq: number): Promise<boolean> {
    const endpoint = (await this.#endpoints.read(this.#name)).endpoints.find(({ id }) => id === endpointId);
    const page = endpoint === undefined ? null : await this.#read(null, 1);
    if (endpoint === undefined || page === null) return false;
    const { epoch } = await this.#living(page);
    this.#store.replay(this.#store.add(endpointId, endpoint.createdAt), { epoch, seq: fromSeq }, Date.now());
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
    const delivered = await this.#deliverTo(sink).catch((cause: unknown): Delivered => ({ error: String(cause), by: "us" }));
    const current = this.#store.get(sinkId);
    if (current === undefined) return "done";
    if (typeof delivered === "object") await this.#failed(current, delivered);
    else if (delivered === "all" && current.nextAttemptAt !== null) this.#store.advance(current, {});
    if (this.env.DB !== undefined) await reportSink(this.env.DB, this.#name, this.#store, sinkId);
    return delivered === "more" ? "more" : "done";
  }

  async #deliverTo(sink: Sink): Promise<Delivered> {
    const delivery: Delivery = {
      name: this.#name,
      sink,
      store: this.#store,
      read: (after, limit) => this.#read(after, limit),
      deadline: Date.now() + DELIVERY_MS_MAX,
    };
    if (sink.id === D1_SINK && this.env.DB !== undefined) return deliverToReadModel(this.env.DB, delivery);
    if (sink.id === BACKUP_SINK && this.env.BACKUPS !== undefined) return deliverToBackups(this.env.BACKUPS, this.#coupon(), delivery);
    const endpoint = this.#endpoints.get(sink.id);
    if (endpoint === undefined || !isReceiving(endpoint)) {
      // Without a database too, the coupon must not keep its deleted ledgers.
      await this.#read(null, 1);
      return "all";
    }
    return deliverToEndpoint(endpoint, targetsOf(this.env), delivery);
  }

  async #failed(sink: Sink, failure: Failure): Promise<void> {
    const now = Date.now();
    // The operator must see in the database that an endpoint is disabled. While it can't be written, the endpoint is tried again.
    const isWritten = failure.by !== "gone" || (await this.#endpoints.disable(sink.id, now));
    const after = { ...sink, ...afterFailure(sink, isWritten ? failure : { ...failure, by: "endpoint" }, now, Math.random()) };
    this.#store.update(sink, after);
    const { attemptCount: attempts, status, lastError: error } = after;
    log({ event: "delivery_failed", coupon: this.#name, sink: sink.id, attempts, status, error });
  }

  /** Makes sure of an alarm, and starts deliveries. */
  async #begin(): Promise<void> {
    this.#workCount += 1;
    this.#beginCount += 1;
    const { storage } = this.ctx;
    if (this.#name !== "" && storage.kv.get(NAME) === undefined) storage.kv.put(NAME, this.#name);
    const safeAt = Date.now() + COURIER_ALARM_MS;
    const alarmAt = await storage.getAlarm();
    if (alarmAt === null || alarmAt > safeAt) await storage.setAlarm(safeAt);
    const started = this.#startAll().catch((cause: unknown) => {
      logFailure("courier_failed", { coupon: this.#name, cause });
      return false;
    });
    this.ctx.waitUntil(
      started.then((areKnown) => {
        this.#areSinksKnown = areKnown;
        return this.#worked();
      }),
    );
  }

  /** Returns whether all sinks are known. */
  async #startAll(): Promise<boolean> {
    const own = this.env.BACKUPS === undefined ? [D1_SINK] : [D1_SINK, BACKUP_SINK];
    for (const id of own) this.#start(this.#store.add(id, 0));
    const { endpoints, isFresh } = await this.#endpoints.read(this.#name);
    for (const endpoint of endpoints) {
      const sink = this.#store.add(endpoint.id, endpoint.createdAt);
      if (!isReceiving(endpoint)) continue;
      // An operator who has changed the endpoint wants another attempt.
      const isRevived = sink.status !== "active" && endpoint.updatedAt > sink.statusAt;
      this.#start((isRevived ? this.#store.reset(sink, {}) : null) ?? sink);
    }
    if (!isFresh) return this.env.DB === undefined;
    const ids = new Set([...own, ...endpoints.map(({ id }) => id)]);
    const gone = this.#store.all().filter(({ id }) => !ids.has(id));
    await clearReports(this.env.DB, this.#name, gone);
    for (const { id } of gone) this.#store.remove(id);
    return true;
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
        const hangsMs = sinkId === BACKUP_SINK ? BACKUP_HANGS_MS : DELIVERY_HANGS_MS;
        result = await withDeadline(this.env.COURIERS.get(this.ctx.id).deliver(sinkId), hangsMs);
        // A long delivery respects changes of the endpoint.
        if (result === "more" && sinkId !== D1_SINK) await this.#endpoints.read(this.#name);
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
      if (this.#mayForget && this.#areSinksKnown && (await this.#forget())) return;
      if (this.#workCount > 0) return;
      const now = Date.now();
      const nextAt = this.#nextAt(now);
      if (nextAt === null) await this.ctx.storage.deleteAlarm();
      else await this.ctx.storage.setAlarm(Math.min(Math.max(nextAt, now + COURIER_PAUSE_MS_MIN), now + COURIER_PAUSE_MS_MAX));
    } catch (cause) {
      logFailure("courier_failed", { coupon: this.#name, cause });
    }
  }

  /** When there is something to do. Null if all is done. */
  #nextAt(now: number): number | null {
    const head = this.#store.get(D1_SINK)?.cursor ?? null;
    const times = this.#store.all().map((sink) => {
      if (sink.id === BACKUP_SINK || this.#isWaiting(sink)) return sink.nextAttemptAt ?? edgeOf(sink.fold);
      const endpoint = this.#endpoints.get(sink.id);
      const isOff = endpoint !== undefined && (!isReceiving(endpoint) || sink.status === "disabled");
      return isOff && isBehind(sink, head, now) ? nextLookAt(endpoint, sink, now) : null;
    });
    const all = [...times, this.#nextEdgeAt, this.#areSinksKnown ? null : now + COURIER_ALARM_MS].filter((at) => at !== null);
    return all.length === 0 ? null : Math.min(...all);
  }

  /**
   * Lets the coupon discard ledgers that all sinks have. Returns true if nothing is left of the coupon and its courier. If it
   * throws, the alarm that is set repeats it.
   */
  async #forget(): Promise<boolean> {
    // A page that is read meanwhile may set it again.
    this.#mayForget = false;
    const beginCount = this.#beginCount;
    const waiting = this.#store.all().filter((sink) => this.#isWaiting(sink));
    const result = await withDeadline(this.#coupon().forget(waiting.map(({ cursor }) => cursor)), OUTBOX_MS_MAX);
    if (!result.ok) throw new Error(`the coupon can't discard its ledgers: ${result.code}`);
    if (!result.isEmpty) return false;
    await clearReports(this.env.DB, this.#name, this.#store.all());
    if (this.#beginCount > beginCount) return false;
    await this.ctx.storage.deleteAll();
    return true;
  }

  /** Whether a sink gets events now, so that the coupon keeps them for it. */
  #isWaiting({ id, status }: Sink): boolean {
    const endpoint = this.#endpoints.get(id);
    const isOn = id === D1_SINK ? this.env.DB !== undefined : endpoint !== undefined && isReceiving(endpoint);
    return status === "active" && isOn;
  }

  /** Reads the outbox. A read that began before the last notice is not shared, because it may lack the news. */
  #read(after: OutboxCursor | null, limit: number): Promise<OutboxPage | null> {
    return this.#reads.share(JSON.stringify([this.#beginCount, after, limit]), () => this.#readOnce(after, limit));
  }

  async #readOnce(after: OutboxCursor | null, limit: number): Promise<OutboxPage | null> {
    const result = await withDeadline(this.#coupon().outbox(after, limit), OUTBOX_MS_MAX);
    if (!result.ok) throw new Error(`the coupon can't be read: ${result.code}`);
    const { page } = result;
    // Where nothing is left of the coupon, the courier discards its own rows.
    if (page?.hasDeleted !== false) this.#mayForget = true;
    if (page?.hasMore !== true) this.#nextEdgeAt = page === null || page.isDeleted ? null : nextEdgeAt(page.coupon, page.now);
    return page;
  }

  /** Returns the page of the incarnation that lives now, or else the last one. */
  async #living(page: OutboxPage): Promise<OutboxPage> {
    const next = await this.#read({ epoch: page.epoch, seq: Number.MAX_SAFE_INTEGER }, 1);
    return next === null || next.epoch === page.epoch ? page : this.#living(next);
  }

  #coupon(): CouponCalls {
    return this.env.COUPONS.get(this.env.COUPONS.idFromName(this.#name));
  }

  get #name(): string {
    this.#knownName ??= this.ctx.storage.kv.get<string>(NAME) ?? this.ctx.id.name;
    return this.#knownName ?? "";
  }
}

function targetsOf({ WEBHOOK_TARGETS }: CourierEnv): WebhookTargets {
  return WEBHOOK_TARGETS === "any" ? "any" : "public";
}
