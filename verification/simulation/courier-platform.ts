// The platform around the coupon's courier: its instances, their storage and alarm, and the calls between objects, D1
// and receivers, which can be lost.

import type { CourierCalls } from "../../src/domain/rpc.ts";
import type { Context } from "./context.ts";
import { T0, type CourierStep, type DeliveryPlan } from "./plan.ts";
import type { Timer } from "./scheduler.ts";
import { ENDED } from "./storage.ts";

export type Courier = CourierCalls & {
  readonly deliver: (sinkId: string) => Promise<"more" | "done">;
  readonly alarm: () => Promise<void>;
};
export type CourierClass = new (ctx: unknown, env: unknown) => Courier;

/** An instance that makes calls. A call leaves after the writes before it, and an instance that has ended gets no answer. */
export type Sender = { readonly afterDisk: (run: () => void) => void; readonly resume: (run: () => void) => void };
type Carried<Result> = (done: (result: Result) => void, failed: (cause: unknown) => void) => void;

type Stored = { readonly kv: Map<string, string>; alarmAt: number | null; runningAt: number | null };
type Instance = { isDead: boolean; object: Courier | null; readonly callers: Set<() => void> };

const ALARM_AGAIN_MS = 10;
const LOST = Object.assign(new Error("network connection lost"), { retryable: true });

export class CourierPlatform {
  /** Returns the bindings of an instance. */
  env: (sender: Sender) => object = () => ({});
  readonly #context: Context;
  readonly #plan: DeliveryPlan;
  readonly #name: string;
  readonly #class: CourierClass;
  #instance: Instance | null = null;
  #turn: Instance | null = null;
  #stored: Stored = { kv: new Map(), alarmAt: null, runningAt: null };
  /** As it was before this event, and on disk. */
  #before = copyOf(this.#stored);
  #disk = this.#before;
  #written = 0;
  #flushing = 0;
  #onDisk = 0;
  #waiting: { readonly version: number; readonly run: () => void }[] = [];
  #alarm: { readonly for: number; readonly timer: Timer } | null = null;
  /** A slow statement of a rebuild may come after the rebuild that repeats it, and erase what that has written. */
  readonly #faults: readonly ("lost" | "answer_lost" | "slow" | "hangs")[];
  readonly #armed: { left: number; readonly isLossy: boolean }[] = [];

  constructor(context: Context, plan: DeliveryPlan, name: string, courierClass: CourierClass) {
    this.#context = context;
    this.#plan = plan;
    this.#name = name;
    this.#class = courierClass;
    const isRebuilt = context.plan.steps.some((step) => step.is === "courier" && step.what === "rebuild");
    this.#faults = isRebuilt ? ["lost", "answer_lost", "hangs"] : ["lost", "answer_lost", "slow", "hangs"];
  }

  /** Whether code of the courier runs in this event. */
  get isRunning(): boolean {
    return this.#turn !== null;
  }

  /** Whether it stores nothing. */
  get isEmpty(): boolean {
    return this.#stored.kv.size === 0;
  }

  arm({ skip, isLossy }: CourierStep): void {
    this.#armed.push({ left: skip, isLossy });
  }

  /** Calls the courier. */
  call<Result>(run: (courier: Courier) => Promise<Result>, ...[done, failed]: Parameters<Carried<Result>>): void {
    const instance = this.#begin();
    if (instance.object === null) return;
    const fail = (): void => failed(LOST);
    instance.callers.add(fail);
    const leave = (result: Result): void =>
      this.#afterDisk(instance, () => {
        if (instance.callers.delete(fail)) done(result);
      });
    run(instance.object).then(leave, (cause: unknown) => this.#threw(instance, cause));
  }

  /** Sends a call. It, or its answer, may be lost; or it hangs until `signal` ends it. */
  send<Result>(sender: Sender, kind: string, carryOut: Carried<Result>, signal: AbortSignal | null = null): Promise<Result> {
    const { scheduler, random, count, log } = this.#context;
    return new Promise((resolve, reject) => {
      sender.afterDisk(() => {
        const { faultPercent, faultsUntil, wayMsMax } = this.#plan;
        const isFaulty = scheduler.now < faultsUntil && random.below(100) < faultPercent;
        const fault = isFaulty ? random.pick(this.#faults) : null;
        const slowMs = fault === "slow" ? random.below(4_000) : 0;
        count(`delivery.${fault === null ? kind : fault}`);
        log?.(`${kind}${fault === null ? "" : ` ${fault}`}`);
        const back = (settle: () => void): void => void scheduler.after(random.below(wayMsMax + 1), () => sender.resume(settle));
        if (fault === "lost") back(() => reject(LOST));
        else if (fault === "hangs") signal?.addEventListener("abort", () => reject(signal.reason));
        if (fault === "lost") return;
        const done = (result: Result): void => {
          if (fault !== "hangs") back(() => (fault === "answer_lost" ? reject(LOST) : resolve(result)));
        };
        const failed = (cause: unknown): void => (fault === "hangs" ? undefined : back(() => reject(cause)));
        scheduler.after(slowMs + random.below(wayMsMax + 1), () => carryOut(done, failed));
      });
    });
  }

  timer(run: () => void, ms: number): Timer {
    const instance = this.#turn;
    return this.#context.scheduler.after(ms, () => (instance === null ? undefined : this.#resume(instance, run)));
  }

  /** Follows each event: new writes go to disk, and the alarm is set. */
  afterEvent(): void {
    const { scheduler, plan } = this.#context;
    this.#turn = null;
    if (this.#written > this.#flushing) {
      const version = this.#written;
      const stored = copyOf(this.#stored);
      this.#flushing = version;
      this.#before = stored;
      scheduler.after(plan.diskMs, () => this.#flushed(version, stored));
    }
    const at = this.#stored.alarmAt;
    if (at === (this.#alarm?.for ?? null)) return;
    if (this.#alarm !== null) this.#alarm.timer.run = null;
    const ms = at === null ? 0 : Math.max(0, at - this.#clock() + plan.alarmLateMs);
    this.#alarm = at === null ? null : { for: at, timer: scheduler.after(ms, () => this.#runAlarm(at)) };
  }

  #begin(isByAlarm = false): Instance {
    const instance: Instance = this.#instance ?? { isDead: false, object: null, callers: new Set() };
    this.#enter(instance);
    if (this.#instance === null) {
      this.#instance = instance;
      const sender = {
        afterDisk: (run: () => void) => this.#afterPoint(instance, run),
        resume: (run: () => void) => this.#resume(instance, run),
      };
      instance.object = new this.#class(this.#contextOf(instance, isByAlarm), this.env(sender));
    }
    return instance;
  }

  #contextOf(instance: Instance, isByAlarm: boolean): unknown {
    const stored = (): Stored => {
      if (instance.isDead) throw ENDED;
      return this.#stored;
    };
    const write = (change: (stored: Stored) => void): void => {
      change(stored());
      this.#written += 1;
      this.#pass(instance);
    };
    return {
      // An alarm may not know the name of its object.
      id: { name: isByAlarm ? undefined : this.#name },
      waitUntil: (work: Promise<unknown>) => void work.catch((cause: unknown) => this.#threw(instance, cause)),
      storage: {
        kv: {
          get: (key: string): unknown => parsed(stored().kv.get(key)),
          put: (key: string, value: unknown) => write(({ kv }) => kv.set(key, JSON.stringify(value))),
          delete: (key: string) => write(({ kv }) => kv.delete(key)),
          list: ({ prefix }: { readonly prefix: string }) =>
            Array.from(stored().kv)
              .filter(([key]) => key.startsWith(prefix))
              .toSorted(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, value]) => [key, parsed(value)]),
        },
        getAlarm: async () => stored().alarmAt,
        setAlarm: async (at: number) => write((all) => (all.alarmAt = at)),
        deleteAlarm: async () => write((all) => (all.alarmAt = null)),
        deleteAll: async () =>
          write((all) => {
            all.kv.clear();
            all.alarmAt = null;
          }),
      },
    };
  }

  #afterPoint(instance: Instance, run: () => void): void {
    this.#pass(instance);
    this.#afterDisk(instance, run);
  }

  #afterDisk(instance: Instance, run: () => void): void {
    if (instance.isDead) return;
    if (this.#written === this.#onDisk) run();
    else this.#waiting.push({ version: this.#written, run });
  }

  /** Passes a point at which the instance can end. */
  #pass(instance: Instance): void {
    const armed = this.#armed[0];
    if (instance.isDead || armed === undefined) return;
    armed.left -= 1;
    if (armed.left >= 0) return;
    this.#armed.shift();
    this.#end(instance, armed.isLossy);
  }

  #end(instance: Instance, isLossy: boolean): void {
    const { scheduler, count, log } = this.#context;
    count(isLossy ? "delivery.powerCut" : "delivery.crash");
    log?.(`the courier ends, ${isLossy ? "unflushed writes are lost" : "all writes stay"}`);
    instance.isDead = true;
    this.#instance = null;
    for (const fail of instance.callers) scheduler.after(1, fail);
    this.#waiting = [];
    this.#stored = copyOf(isLossy ? this.#disk : this.#before);
    const { alarmAt, runningAt } = this.#stored;
    this.#stored.alarmAt = alarmAt ?? (runningAt === null ? null : this.#clock() + ALARM_AGAIN_MS);
    this.#stored.runningAt = null;
    this.#disk = this.#before = copyOf(this.#stored);
    this.#written += 1;
    this.#flushing = this.#onDisk = this.#written;
  }

  #flushed(version: number, stored: Stored): void {
    if (version <= this.#onDisk) return;
    this.#onDisk = version;
    this.#disk = stored;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((one) => one.version > version);
    for (const one of waiting) if (one.version <= version) one.run();
  }

  #runAlarm(at: number): void {
    if (this.#disk.alarmAt !== at) {
      this.#alarm = { for: at, timer: this.#context.scheduler.after(1, () => this.#runAlarm(at)) };
      return;
    }
    this.#alarm = null;
    this.#context.count("delivery.alarm");
    this.#context.log?.("the courier's alarm runs");
    Object.assign(this.#stored, { alarmAt: null, runningAt: at });
    this.#written += 1;
    const instance = this.#begin(true);
    const end = (): void => {
      if (instance.isDead) return;
      this.#stored.runningAt = null;
      this.#written += 1;
    };
    instance.object?.alarm().then(end, (cause: unknown) => this.#threw(instance, cause));
  }

  #threw(instance: Instance, cause: unknown): void {
    if (!instance.isDead) this.#context.breach("exception", `the courier threw: ${String(cause)}`);
  }

  #resume(instance: Instance, run: () => void): void {
    if (instance.isDead) return;
    this.#enter(instance);
    run();
  }

  #enter(instance: Instance): void {
    this.#turn = instance;
    this.#context.skewMs = this.#plan.skewMs;
  }

  #clock(): number {
    return T0 + this.#context.scheduler.now + this.#plan.skewMs;
  }
}

function copyOf({ kv, ...alarms }: Stored): Stored {
  return { kv: new Map(kv), ...alarms };
}

function parsed(value: string | undefined): unknown {
  return value === undefined ? undefined : JSON.parse(value);
}
