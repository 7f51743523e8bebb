// The coupon's object in the simulation: the queue of calls before it, its mailbox, and its flushes.

import * as limits from "../../src/domain/limits.ts";
import type { LaneHint } from "../../src/domain/lanes.ts";
import { TrafficMeter } from "../../src/object/traffic-meter.ts";
import { Fifo, shuffled, type Loop, type Thread } from "./loop.ts";
import type { Sale } from "./sale.ts";

/** The object's answer to a user. `unavailable` means that nothing was changed. */
export type Code = "granted" | "out_of_stock" | "sale_not_started" | "unavailable";
/** `codes` are those of the users, in their order. */
export type Answer = { readonly codes: readonly Code[]; readonly lanes: LaneHint | undefined; readonly pauseMs: number };
/** The answer of an object that keeps no more calls. A user without a code is `unavailable`. */
export const OVERLOADED: Answer = { codes: [], lanes: undefined, pauseMs: 0 };
/** What an isolate gets: a refusal, and for how long it is certain. */
export type Certified = { readonly code: Code; readonly validForMs: number };

/** A call by an isolate (one user), or by a lane. */
type Claims = {
  readonly kind: "claims";
  readonly isOfLane: boolean;
  readonly users: readonly number[];
  readonly codes: Code[];
  /** Users without a code. */
  leftCount: number;
  readonly respond: (answer: Answer) => void;
};
type Certify = {
  readonly kind: "certify";
  readonly refusedEarly: number;
  readonly respond: (certified: Certified | null, lanes: LaneHint | undefined) => void;
};
type Call = Claims | Certify;
/** `index` is that of the user in the call. */
type Message = { readonly call: Call; readonly index: number; readonly stampMs: number };

type Hinted = { readonly lanes?: LaneHint; readonly pauseMs?: number };
/** A flush, with what waits for it. */
type Flight = { isOver: boolean; readonly waiting: (() => void)[] };

/** Sees each call that is delivered, and how many claims each batch has. */
export type Observer = { readonly called: () => void; readonly judged: (count: number) => void };

export class Coupon {
  readonly #sale: Sale;
  readonly #loop: Loop;
  readonly #thread: Thread;
  readonly #opensAtMs: number;
  readonly #meter: TrafficMeter;
  readonly #calls = new Fifo<Call>();
  readonly #mailbox = new Fifo<Message>();
  readonly #waitMs: number;
  #isDelivering = false;
  #nextCallAtMs = 0;
  #flightCount = 0;
  /** The last flush. Answers made since wait for it. Null when all writes are on disk. */
  #flight: Flight | null = null;
  readonly #observer: Observer;
  readonly #random: () => number;
  readonly totals = { calls: 0, certificateCalls: 0, granted: 0, waitingMax: 0 };
  soldOutAtMs: number | null = null;

  constructor(sale: Sale, loop: Loop, thread: Thread, opensAtMs: number, random: () => number, observer: Observer) {
    this.#sale = sale;
    this.#loop = loop;
    this.#thread = thread;
    this.#opensAtMs = opensAtMs;
    this.#observer = observer;
    this.#random = random;
    this.#meter = new TrafficMeter(
      () => loop.nowMs,
      () => this.#mailbox.length,
    );
    const { BATCH_WAIT_PER_FLUSH: part, BATCH_WAIT_MS_MIN: min, BATCH_WAIT_MS_MAX: max } = limits;
    this.#waitMs = Math.min(Math.max(sale.flushMs * part, min), max);
  }

  /** How many more calls the platform keeps before the object. Beyond them it reports the object as overloaded. */
  get room(): number {
    return limits.MAILBOX_LENGTH_MAX - this.#calls.length;
  }

  /** A call arrives, for which there must be room. */
  call(call: Pick<Claims, "isOfLane" | "users" | "respond">): void {
    this.#enqueue({ kind: "claims", codes: [], leftCount: call.users.length, ...call });
  }

  certify(call: Omit<Certify, "kind">): void {
    this.totals.certificateCalls += 1;
    if (this.room <= 0) call.respond(null, undefined);
    else this.#enqueue({ kind: "certify", ...call });
  }

  #enqueue(call: Call): void {
    this.#calls.push(call);
    this.totals.calls += 1;
    this.totals.waitingMax = Math.max(this.totals.waitingMax, this.#calls.length + this.#mailbox.length);
    this.#deliver();
  }

  /** Delivers the next call as soon as the platform's rate and the object's thread allow it. */
  #deliver(): void {
    if (this.#isDelivering || this.#calls.length === 0) return;
    this.#isDelivering = true;
    this.#loop.at(this.#nextCallAtMs, () => this.#thread.post(() => this.#take()));
  }

  #take(): number {
    const { costs, objectRate } = this.#sale;
    const startMs = this.#loop.nowMs;
    this.#nextCallAtMs = startMs + 1000 / objectRate;
    this.#isDelivering = false;
    const call = this.#calls.shift();
    if (call === undefined) return 0;
    this.#observer.called();
    const count = call.kind === "claims" ? call.users.length : 1;
    if (call.kind === "claims") this.#meter.add(count);
    for (let index = 0; index < count; index += 1) {
      const isFull = call.kind === "claims" && this.#mailbox.length >= limits.MAILBOX_LENGTH_MAX;
      if (!isFull) this.#mailbox.push({ call, index, stampMs: startMs });
      else if (hasAll(call, index, "unavailable")) this.#leave([call], startMs);
    }
    this.#deliver();
    const tookMs = costs.callUs / 1000;
    return tookMs + this.#judgeDue(startMs + tookMs);
  }

  /** Judges the batches that are due at `startMs`. Returns how long that takes. */
  #judgeDue(startMs: number): number {
    let atMs = startMs;
    for (let first = this.#mailbox.first; first !== undefined; first = this.#mailbox.first) {
      const dueMs = this.#flightCount === 0 ? 0 : first.stampMs + this.#waitMs;
      if (dueMs > atMs) {
        this.#loop.at(dueMs, () => this.#wake());
        break;
      }
      atMs += this.#judge(atMs);
    }
    return atMs - startMs;
  }

  #wake(): void {
    if (this.#mailbox.length > 0) this.#thread.post(() => this.#judgeDue(this.#loop.nowMs));
  }

  /** Judges one batch. Its answers leave when all writes so far are on disk. Returns how long it takes. */
  #judge(startMs: number): number {
    const { stock, costs } = this.#sale;
    const batch = this.#nextBatch();
    const tookMs = (batch.length * costs.claimUs) / 1000;
    const endMs = startMs + tookMs;
    const grantedBefore = this.totals.granted;
    const done: Call[] = [];
    let claimCount = 0;
    for (const { call, index, stampMs } of batch) {
      if (call.kind === "claims") claimCount += 1;
      if (call.kind === "certify" || hasAll(call, index, this.#judgeClaim(stampMs))) done.push(call);
    }
    this.#observer.judged(claimCount);
    if (this.soldOutAtMs === null && this.totals.granted >= stock) this.soldOutAtMs = endMs;
    if (this.totals.granted > grantedBefore) this.#flush(endMs);
    if (done.length > 0) this.#leave(done, endMs);
    return tookMs;
  }

  #judgeClaim(stampMs: number): Code {
    if (stampMs < this.#opensAtMs) return "sale_not_started";
    if (this.totals.granted >= this.#sale.stock) return "out_of_stock";
    this.totals.granted += 1;
    return "granted";
  }

  /** A request for a certificate is a batch of its own. */
  #nextBatch(): Message[] {
    const batch: Message[] = [];
    for (let next = this.#mailbox.first; next !== undefined && batch.length < limits.BATCH_SIZE_MAX; next = this.#mailbox.first) {
      if (next.call.kind === "certify" && batch.length > 0) break;
      batch.push(next);
      this.#mailbox.shift();
      if (next.call.kind === "certify") break;
    }
    return batch;
  }

  /** The local server writes all batches when its thread is idle. Its answers leave in no order, as measured. */
  #flush(atMs: number): void {
    const { flushMs, isOneThread } = this.#sale;
    if (isOneThread && this.#flight !== null) return;
    const flight: Flight = { isOver: false, waiting: [] };
    this.#flight = flight;
    this.#flightCount += 1;
    const end = (): void => {
      this.#flightCount -= 1;
      if (this.#flight === flight) this.#flight = null;
      flight.isOver = true;
      for (const leave of isOneThread ? shuffled(flight.waiting, this.#random) : flight.waiting) leave();
      this.#wake();
    };
    if (isOneThread) this.#loop.at(atMs, () => this.#thread.whenIdle(end));
    else this.#loop.at(atMs + flushMs, end);
  }

  /** Makes the answers at `atMs`. The output gate keeps them until all writes so far are on disk. */
  #leave(calls: readonly Call[], atMs: number): void {
    const flight = this.#flight;
    this.#loop.at(atMs, () => {
      const responses = calls.map((call) => this.#response(call));
      if (flight === null || flight.isOver) responses.forEach((respond) => respond());
      else flight.waiting.push(...responses);
    });
  }

  #response(call: Call): () => void {
    if (call.kind === "certify") this.#meter.add(call.refusedEarly);
    const isOfLane = call.kind === "claims" && call.isOfLane;
    const { lanes, pauseMs = 0 } = isOfLane ? this.#meter.withPause({ answers: [] }) : this.#meter.withHint<Hinted>({});
    if (call.kind === "claims") return () => call.respond({ codes: call.codes, lanes, pauseMs });
    const certified = this.#certified();
    return () => call.respond(certified, lanes);
  }

  /** As `certifiable` in src/domain/certificate.ts. */
  #certified(): Certified | null {
    const { CERTIFICATE_MS_MAX: max, LEASE_MARGIN_MS: margin } = limits;
    const opensInMs = this.#opensAtMs - this.#loop.nowMs;
    if (opensInMs > margin) return { code: "sale_not_started", validForMs: Math.min(max, opensInMs - margin) };
    return this.totals.granted >= this.#sale.stock ? { code: "out_of_stock", validForMs: max } : null;
  }
}

/** Gives a user of a call a code. Returns whether all of them have one now. */
function hasAll(call: Claims, index: number, code: Code): boolean {
  call.codes[index] = code;
  call.leftCount -= 1;
  return call.leftCount === 0;
}
