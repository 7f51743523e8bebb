// The alarm of the coupon's object. An alarm whose instance ends runs again.

import type { Context } from "./context.ts";
import type { Instance } from "./instance.ts";
import type { ObjectClock } from "./object-clock.ts";
import type { Timer } from "./scheduler.ts";

/** How long after the end of its instance an alarm runs again. */
const ALARM_AGAIN_MS = 10;

export class ObjectAlarm {
  readonly #context: Context;
  readonly #clock: ObjectClock;
  /** Returns the instance that runs the alarm. */
  readonly #begin: () => Instance;
  #set: { readonly for: number; readonly timer: Timer } | null = null;
  /** The alarm that runs now. */
  #runningFor: number | null = null;

  constructor(context: Context, clock: ObjectClock, begin: () => Instance) {
    this.#context = context;
    this.#clock = clock;
    this.#begin = begin;
  }

  /** Sets the alarm that storage has. */
  follow(): void {
    if (this.#context.storage.alarmAt !== (this.#set?.for ?? null)) this.#schedule(0);
  }

  /** The instance has ended. */
  interrupted(): void {
    if (this.#runningFor !== null) this.#context.storage.repeatAlarm(this.#runningFor);
    this.#schedule(this.#runningFor === null ? 0 : ALARM_AGAIN_MS);
    this.#runningFor = null;
  }

  #schedule(msMin: number): void {
    const { storage, scheduler, plan } = this.#context;
    if (this.#set !== null) this.#set.timer.run = null;
    const at = storage.alarmAt;
    this.#set =
      at === null
        ? null
        : { for: at, timer: scheduler.after(Math.max(msMin, at - this.#clock.now() + plan.alarmLateMs), () => this.#run(at)) };
  }

  #run(at: number): void {
    const { storage, scheduler, points, count, log } = this.#context;
    if (!storage.isAlarmOnDisk) {
      this.#set = { for: at, timer: scheduler.after(1, () => this.#run(at)) };
      return;
    }
    this.#set = null;
    storage.takeAlarm();
    this.#runningFor = at;
    count("alarms");
    log?.("the alarm runs");
    const instance = this.#begin();
    points.command = "alarm";
    void this.#await(instance);
  }

  async #await(instance: Instance): Promise<void> {
    try {
      await instance.object.alarm();
      if (!instance.isDead) this.#runningFor = null;
    } catch (cause) {
      if (!instance.isDead) this.#context.breach("exception", `the alarm threw: ${String(cause)}`);
    }
  }
}
