// The platform around one object: it starts and ends instances, delivers calls and alarms, and holds back
// answers until the writes before them are on disk.

import { answersOf, type Result } from "../model/product-answers.ts";
import type { Answer } from "../model/types.ts";
import { runFor, type Context, type PlatformBugs } from "./context.ts";
import type { Sender } from "./courier-platform.ts";
import { CALL_LINES, checkWait, DEFERRABLE, endText, messageName, resultText, reword, unanswered } from "./deliveries.ts";
import { Flushes } from "./flushes.ts";
import { Instance, UNANSWERED, type ObjectClass, type Waiting } from "./instance.ts";
import type { Delivery, Recorded } from "./network.ts";
import { ObjectAlarm } from "./object-alarm.ts";
import { ObjectClock } from "./object-clock.ts";
import { T0, type End } from "./plan.ts";
import { INJECTED } from "./points.ts";
import type { Timer } from "./scheduler.ts";

/** How long after the end of an instance its callers notice. */
const END_IS_NOTICED_MS = 1;

/** The error of a failed flush. */
const FLUSH_FAILED = new Error("the flush failed, as planned");

/** How long after a failed flush the object ends. */
const ABORT_MS = 3_000;

export class Platform {
  readonly name: string;
  readonly context: Context;
  readonly #class: ObjectClass;
  readonly #platformBugs: PlatformBugs;
  #instance: Instance | null = null;
  /** The instance that runs now. */
  #turn: Instance | null = null;
  /** The end of an instance in this event. */
  #end: End | null = null;
  #gate: { readonly instance: Instance; readonly waiting: Waiting }[] = [];
  #syncs: { readonly version: number; readonly run: () => void }[] = [];
  readonly #flushes: Flushes;
  /** The next flush fails. */
  isFlushBad = false;
  readonly #alarm: ObjectAlarm;
  /** Claims that are answered in this event: more than one is a batch. */
  #claimsInEvent = 0;
  /** Whether anything was judged in this event. */
  #hasJudged = false;
  /**
   * The clock of each instance at its end, as a read without an answer: the next instance may go on from
   * there.
   */
  readonly ends: Recorded[] = [];
  /** Every delivery to the object. */
  readonly delivered: Recorded[] = [];
  /** The same in the order of judgment, by event: answers of one event can leave the object in another order. */
  readonly judged: Recorded[][] = [];
  /** By incarnation, seq and user: the attempt that made a hold. */
  readonly holders = new Map<string, string>();
  /** Called with each answer of the object, and at each end of an instance. */
  onAnswer: (delivery: Delivery, result: Result, answers: readonly Answer[]) => void = () => undefined;
  onEnd: () => void = () => undefined;
  /** How many answers were `unavailable`. */
  unavailableCount = 0;
  readonly clock: ObjectClock;

  constructor(context: Context, name: string, objectClass: ObjectClass, platformBugs: PlatformBugs) {
    this.context = context;
    this.clock = new ObjectClock(context);
    this.name = name;
    this.#flushes = new Flushes(context, (version) => this.#flushed(version));
    this.#alarm = new ObjectAlarm(context, this.clock, () => this.#begin());
    this.#class = objectClass;
    this.#platformBugs = platformBugs;
    context.storage.turning = (turn) => this.#instance?.settleIncarnations(turn, context.storage.incarnation);
  }

  /** Returns the bindings of an instance. */
  env: (sender: Sender) => object = () => ({});

  /** Several deliveries that arrive together share one call. */
  deliver(...deliveries: readonly Delivery[]): void {
    const instance = this.#begin();
    for (const call of deliveries.map((delivery) => this.#register(instance, delivery))) call();
  }

  /** Records a delivery. Returns what calls the object. */
  #register(instance: Instance, delivery: Delivery): () => void {
    const { scheduler, points, digest, log, count } = this.context;
    points.command = delivery.command;
    const startedAt = scheduler.stamp();
    const operations = delivery.calls.map((call) =>
      unanswered(call, delivery.request.client, delivery.attempt, startedAt, this.clock.now()),
    );
    this.delivered.push(...operations);
    count("deliveries", operations.length);
    const times = { deliveredAt: scheduler.now, endedAt: startedAt, clockUntil: this.clock.now() };
    const waiting: Waiting = { delivery, operations, ...UNANSWERED, ...times };
    instance.waiting.add(waiting);
    digest.add(scheduler.now);
    log?.(`${messageName(delivery)} reaches the object`);
    const fail = (what: string) => (cause: unknown) => {
      if (!instance.isDead) this.context.breach("exception", `${what} at ${messageName(delivery)}: ${String(cause)}`);
    };
    const answered = (result: Result): void => this.#answered(instance, waiting, result);
    return () =>
      void delivery.call(instance.object).then(answered, fail("the object threw")).catch(fail("the object's answer can't be read"));
  }

  /** Ends the instance between two turns. */
  restart(end: End): void {
    this.context.log?.(`the instance ${this.#instance === null ? "is not there; the next one" : ""} ends (${endText(end)})`);
    if (this.#instance !== null) this.ended(this.#instance, end);
    else this.clock.set(end.skewMs);
  }

  ended(instance: Instance, end: End): void {
    const { scheduler } = this.context;
    this.ends.push(unanswered({ kind: "read" }, "the end of an instance", null, scheduler.stamp(), this.clock.now()));
    instance.isDead = true;
    this.#instance = null;
    this.#end = end;
    this.#gate = [];
    this.#syncs = [];
    this.#flushes.end();
    this.onEnd();
    for (const waiting of instance.waiting) if (waiting.result === null) checkWait(this.context, waiting);
    for (const { delivery } of instance.waiting) scheduler.after(END_IS_NOTICED_MS, () => delivery.fail(end.mark));
    this.clock.set(end.skewMs);
  }

  onDisk(): Promise<void> {
    const { written, onDisk } = this.context.storage;
    if (this.isFlushBad && written !== onDisk) {
      this.isFlushBad = false;
      this.context.count("faults.flush");
      this.context.log?.("the object is answered that its flush failed");
      return Promise.reject(FLUSH_FAILED);
    }
    return new Promise((resolve) => this.afterDisk(resolve));
  }

  /** Calls `run` when all writes so far are on disk, unless the instance ends before. */
  afterDisk(run: () => void): void {
    const { written, onDisk } = this.context.storage;
    if (written === onDisk) run();
    else this.#syncs.push({ version: written, run });
  }

  /** The object ends itself after a failed flush; that takes a while. */
  abort(instance: Instance, reason: string): void {
    if (reason !== String(FLUSH_FAILED)) this.context.breach("assertion", `the object ended itself: ${reason}`);
    const end = { isLossy: false, skewMs: null, mark: "reset" } as const;
    this.context.scheduler.after(ABORT_MS, () => (instance.isDead ? undefined : this.restart(end)));
  }

  setAlarm(at: number | null): void {
    if (this.#platformBugs.forgetsAlarms !== true || at === null) this.context.storage.setAlarm(at);
  }

  /** Starts a timer for the running code. An instance takes its timers with it. */
  timer(run: () => void, ms: number): Timer {
    const { scheduler, visitor } = this.context;
    const instance = this.#turn;
    if (instance === null) return scheduler.after(ms, () => (visitor === null ? run() : runFor(this.context, visitor, run)));
    return scheduler.after(ms, () => this.resume(instance, run));
  }

  /** Runs code of an instance, unless it has ended. */
  resume(instance: Instance, run: () => void): void {
    if (instance.isDead) return;
    this.#enter(instance);
    try {
      run();
    } catch (cause) {
      if (!instance.isDead) this.context.breach("exception", `a timer of the object threw: ${String(cause)}`);
    }
  }

  /** Takes a line of the product's log. */
  logged(text: string): void {
    if (this.#turn?.isDead === true) return;
    const line = text.replaceAll(this.name, "the coupon");
    this.context.log?.(`${this.#turn === null ? "the Worker" : "the object"} logs ${line.replace(/"request_id":"[^"]*"/, "")}`);
    if (!line.includes(INJECTED.message) && !CALL_LINES.test(line)) this.context.breach("log", `an error that was not planned: ${line}`);
  }

  /** Follows each event: lost writes are gone, new writes go to disk, the alarm is set. */
  afterEvent(): void {
    const { context } = this;
    const { storage } = context;
    context.skewMs = 0;
    context.visitor = null;
    this.#turn = null;
    if (this.#claimsInEvent > 1) context.count("batches");
    this.#claimsInEvent = 0;
    this.#hasJudged = false;
    if (this.#end !== null) this.#afterEnd(this.#end);
    if (storage.written > storage.onDisk) this.#flushes.begin(storage.written);
    this.#alarm.follow();
  }

  #begin(): Instance {
    if (this.#instance === null) {
      // The constructor reads the clock.
      this.context.skewMs = this.clock.skewMs;
      this.context.log?.(`an instance begins, its clock at ${this.clock.now() - T0} ms`);
      this.#instance = new Instance(this.#class, this);
    }
    this.#enter(this.#instance);
    return this.#instance;
  }

  #enter(instance: Instance | null): void {
    this.#turn = instance;
    this.context.skewMs = this.clock.skewMs;
  }

  #answered(instance: Instance, waiting: Waiting, result: Result): void {
    if (instance.isDead) return;
    const { storage, scheduler } = this.context;
    const { command, calls } = waiting.delivery;
    waiting.result = result;
    const incarnation = instance.incarnationOf(waiting, result, storage.incarnation);
    waiting.answers = answersOf(calls, result, incarnation);
    if (!this.#hasJudged) this.judged.push([]);
    this.#hasJudged = true;
    this.judged.at(-1)?.push(...waiting.operations);
    if (result.ok && "isNew" in result && result.isNew)
      this.holders.set(`${incarnation} ${result.seq} ${result.hold.userId}`, result.hold.attemptId);
    waiting.version = storage.written;
    checkWait(this.context, waiting);
    // A message that never waits for a lease is judged when it arrives, in the order of arrival.
    if (DEFERRABLE.has(command)) {
      waiting.endedAt = scheduler.stamp();
      waiting.clockUntil = this.clock.now();
    }
    if (!result.ok && result.code === "unavailable") this.unavailableCount += 1;
    if (command === "claim") this.#claimsInEvent += 1;
    if (storage.written === storage.onDisk || this.#platformBugs.answersBeforeDisk === true) this.#leave(instance, waiting);
    else this.#gate.push({ instance, waiting });
  }

  /** The answer leaves the object. */
  #leave(instance: Instance, waiting: Waiting): void {
    const { points, digest, log } = this.context;
    const { delivery, operations, result, answers, endedAt, clockUntil } = waiting;
    if (result === null) return;
    points.command = delivery.command;
    const step = points.pass("before the answer");
    if (step !== null) {
      instance.crash(step);
      return;
    }
    instance.waiting.delete(waiting);
    for (const [index, operation] of operations.entries()) {
      // A bulk claim has one answer where there is no coupon or no storage.
      operation.answer = answers[index] ?? answers[0] ?? null;
      if (!result.ok) reword(operation, result.code);
      operation.endedAt = endedAt;
      operation.clockUntil = clockUntil;
    }
    digest.add(result.seq);
    log?.(`${messageName(delivery)} is answered: ${resultText(result, answers)}`);
    this.onAnswer(delivery, result, answers);
    delivery.reply(result, answers);
  }

  #flushed(version: number): void {
    const { context } = this;
    const { storage, points } = context;
    if (version <= storage.onDisk) return;
    storage.keep(version);
    context.log?.(storage.written === version ? "all that was written is on disk" : "a part of what was written is on disk");
    this.#enter(this.#instance);
    for (const one of this.#gate.splice(0)) {
      if (one.instance.isDead) continue;
      if (one.waiting.version <= version) this.#leave(one.instance, one.waiting);
      else this.#gate.push(one);
    }
    points.command = "claim";
    const syncs = this.#syncs;
    this.#syncs = syncs.filter((sync) => sync.version > version);
    for (const sync of syncs) if (sync.version <= version) sync.run();
  }

  /** Ends an instance. Its unflushed writes are lost, or the next instance finds them. */
  #afterEnd({ isLossy }: End): void {
    const { storage } = this.context;
    if (isLossy && storage.written > storage.onDisk) this.context.count("faults.lostWrites");
    if (isLossy) storage.lose();
    else storage.keep(storage.written);
    this.#end = null;
    this.#alarm.interrupted();
  }
}
