// The platform around one object: it starts instances and ends them, hands them calls and alarms, and holds back what they
// answer until the disk has what they wrote before.

import { answersOf, type Result } from "./answers.ts";
import { Instance, type ObjectClass, type Waiting } from "./instance.ts";
import { nameOf, reword, type Delivery, type Recorded } from "./network.ts";
import { T0, type End } from "./plan.ts";
import { INJECTED } from "./points.ts";
import type { Scene, Slips } from "./scene.ts";
import type { Timer } from "./scheduler.ts";

/** How long after an instance ended its callers know it, and how long after that its alarm rings again. */
const END_IS_NOTICED_MS = 1;
const RING_AGAIN_MS = 10;

export class Platform {
  readonly name: string;
  readonly scene: Scene;
  readonly #class: ObjectClass;
  readonly #slips: Slips;
  #instance: Instance | null = null;
  #skewMs = 0;
  /** Whose turn it is: logs are its. */
  #turn: Instance | null = null;
  /** The end that came in this turn. */
  #end: End | null = null;
  #gate: { readonly instance: Instance; readonly waiting: Waiting }[] = [];
  #syncs: (() => void)[] = [];
  #isFlushing = false;
  #alarm: { readonly for: number; readonly timer: Timer } | null = null;
  /** The alarm that rings now: it rings again if the instance ends meanwhile. */
  #ringing: number | null = null;
  startCount = 0;
  /** Ends that took with them what was not on disk. */
  lossCount = 0;
  /** Batches of more than one claim, as far as several claims were answered in one event. */
  batchCount = 0;
  #claimsInEvent = 0;
  /** How late it was for each instance that has ended: a look that nobody heard of. The next one may have to go on from there. */
  readonly ends: Recorded[] = [];
  alarmCount = 0;
  /** Answers that said `unavailable`. */
  unavailableCount = 0;
  readonly clock = (): number => T0 + this.scene.scheduler.now + this.#skewMs;
  isClockSteady = true;
  skewMsMin = 0;
  skewMsMax = 0;

  constructor(scene: Scene, name: string, objectClass: ObjectClass, slips: Slips) {
    this.scene = scene;
    this.name = name;
    this.#class = objectClass;
    this.#slips = slips;
  }

  deliver(delivery: Delivery): void {
    const { scheduler, storage, points, digest, tell } = this.scene;
    const instance = this.#begin();
    points.command = delivery.command;
    const operations = delivery.request.record();
    const waiting: Waiting = { delivery, operations, life: storage.life, result: null, answers: [], endedAt: 0, clockUntil: 0 };
    instance.waiting.add(waiting);
    const startedAt = scheduler.stamp();
    for (const operation of operations) {
      operation.startedAt = startedAt;
      operation.clockFrom = this.clock();
    }
    digest.add(scheduler.now);
    tell?.(`${messageName(delivery)} reaches the object`);
    const fail = (what: string) => (cause: unknown) => {
      if (!instance.isDead) this.scene.breach("exception", `${what} at ${messageName(delivery)}: ${String(cause)}`);
    };
    delivery
      .call(instance.object)
      .then((result) => this.#answered(instance, waiting, result), fail("the object threw"))
      .catch(fail("the object's answer can't be read"));
  }

  /** Ends the instance, between two turns. */
  restart(end: End): void {
    this.scene.tell?.(`the instance ${this.#instance === null ? "is not there; the next one" : ""} ends (${endText(end)})`);
    if (this.#instance !== null) this.ended(this.#instance, end);
    else this.#setClock(end.skewMs);
  }

  ended(instance: Instance, end: End): void {
    const { scheduler } = this.scene;
    const now = { startedAt: scheduler.stamp(), clockFrom: this.clock() };
    this.ends.push({
      call: { kind: "read" },
      client: "the end of an instance",
      ...now,
      endedAt: null,
      clockUntil: null,
      attempt: null,
      answer: null,
    });
    instance.isDead = true;
    this.#instance = null;
    this.#end = end;
    this.#gate = [];
    this.#syncs = [];
    for (const { delivery } of instance.waiting) scheduler.after(END_IS_NOTICED_MS, () => delivery.fail(end.mark));
    this.#setClock(end.skewMs);
  }

  onDisk(resolve: () => void): void {
    const { written, onDisk } = this.scene.storage;
    if (written === onDisk) resolve();
    else this.#syncs.push(resolve);
  }

  setAlarm(at: number | null): void {
    if (this.#slips.forgetsAlarms !== true || at === null) this.scene.storage.setAlarm(at);
  }

  /** A timer of whoever runs now: one of an instance is gone with it. */
  timer(run: () => void, ms: number): Timer {
    const { scheduler } = this.scene;
    const instance = this.#turn;
    if (instance === null) return scheduler.after(ms, run);
    return scheduler.after(ms, () => {
      if (instance.isDead) return;
      this.#enter(instance);
      try {
        run();
      } catch (cause) {
        if (!instance.isDead) this.scene.breach("exception", `a timer of the object threw: ${String(cause)}`);
      }
    });
  }

  /** What an instance wrote to its log. */
  logged(text: string): void {
    if (this.#turn === null || this.#turn.isDead) return;
    const line = text.replaceAll(this.name, "the coupon");
    this.scene.tell?.(`the object logs ${line}`);
    if (!line.includes(INJECTED.message)) this.scene.breach("log", `the object met an error that was not planned: ${line}`);
  }

  /** What follows each event: what was lost is gone, what was written is on its way to disk, the alarm is set. */
  afterEvent(): void {
    const { scene } = this;
    const { storage, scheduler, plan, random } = scene;
    scene.skewMs = 0;
    this.#turn = null;
    if (this.#claimsInEvent > 1) this.batchCount += 1;
    this.#claimsInEvent = 0;
    if (this.#end !== null) this.#afterEnd(this.#end);
    if (storage.written > storage.onDisk && !this.#isFlushing) {
      this.#isFlushing = true;
      scheduler.after(plan.diskMs + random.below(plan.diskJitterMs + 1), () => this.#flushed());
    }
    if (storage.alarmAt !== (this.#alarm?.for ?? null)) this.#scheduleAlarm(0);
  }

  #begin(): Instance {
    if (this.#instance === null) {
      this.startCount += 1;
      this.scene.tell?.(`an instance begins, its clock at ${this.clock() - T0} ms`);
      this.#instance = new Instance(this.#class, {
        name: this.name,
        scene: this.scene,
        ended: (instance, end) => this.ended(instance, end),
        onDisk: (resolve) => this.onDisk(resolve),
        setAlarm: (at) => this.setAlarm(at),
        clock: this.clock,
      });
    }
    this.#enter(this.#instance);
    return this.#instance;
  }

  #enter(instance: Instance | null): void {
    this.#turn = instance;
    this.scene.skewMs = this.#skewMs;
  }

  #answered(instance: Instance, waiting: Waiting, result: Result): void {
    if (instance.isDead) return;
    const { storage, scheduler } = this.scene;
    const { ask } = waiting.delivery.request;
    waiting.result = result;
    // A removal is answered when it is on disk: by then there may be another coupon.
    waiting.answers = answersOf(ask, result, ask.kind === "remove" ? waiting.life : storage.life);
    waiting.endedAt = scheduler.stamp();
    waiting.clockUntil = this.clock();
    if (!result.ok && result.code === "unavailable") this.unavailableCount += 1;
    if (ask.kind === "claim") this.#claimsInEvent += 1;
    if (storage.written === storage.onDisk || this.#slips.answersBeforeDisk === true) this.#leave(instance, waiting);
    else this.#gate.push({ instance, waiting });
  }

  /** The answer leaves the object. */
  #leave(instance: Instance, waiting: Waiting): void {
    const { points, digest, tell } = this.scene;
    const { delivery, operations, result, answers, endedAt, clockUntil } = waiting;
    if (result === null) return;
    const step = points.beforeAnswer(delivery.command);
    if (step !== null) {
      instance.crash(step);
      return;
    }
    instance.waiting.delete(waiting);
    for (const [index, operation] of operations.entries()) {
      // One word for all of a bulk, where there is no coupon or no storage.
      operation.answer = answers[index] ?? answers[0] ?? null;
      if (!result.ok) reword(operation, result.code);
      operation.endedAt = endedAt;
      operation.clockUntil = clockUntil;
    }
    digest.add(result.seq);
    tell?.(`${messageName(delivery)} is answered: ${answers.map(({ is, seq }) => `${is} at seq ${seq}`).join(", ")}`);
    delivery.reply(result, answers);
  }

  #flushed(): void {
    const { scene } = this;
    const { storage, points } = scene;
    this.#isFlushing = false;
    if (storage.written === storage.onDisk) return;
    storage.keep();
    scene.tell?.("all that was written is on disk");
    this.#enter(this.#instance);
    for (const { instance, waiting } of this.#gate.splice(0)) if (!instance.isDead) this.#leave(instance, waiting);
    points.command = "claim";
    for (const resolve of this.#syncs.splice(0)) resolve();
  }

  /** An instance has ended in this event. What it had written is lost with it, or found by the next one. */
  #afterEnd({ isLossy }: End): void {
    const { storage } = this.scene;
    if (isLossy && storage.written > storage.onDisk) this.lossCount += 1;
    if (isLossy) storage.lose();
    else storage.keep();
    this.#end = null;
    if (this.#ringing !== null) storage.ringAgain(this.#ringing);
    this.#scheduleAlarm(this.#ringing === null ? 0 : RING_AGAIN_MS);
    this.#ringing = null;
  }

  #scheduleAlarm(msMin: number): void {
    const { storage, scheduler, plan } = this.scene;
    if (this.#alarm !== null) this.#alarm.timer.run = null;
    const at = storage.alarmAt;
    this.#alarm =
      at === null ? null : { for: at, timer: scheduler.after(Math.max(msMin, at - this.clock() + plan.alarmLateMs), () => this.#ring(at)) };
  }

  #ring(at: number): void {
    const { storage, scheduler, points, tell } = this.scene;
    if (!storage.isAlarmOnDisk) {
      this.#alarm = { for: at, timer: scheduler.after(1, () => this.#ring(at)) };
      return;
    }
    this.#alarm = null;
    storage.alarmAt = null;
    this.#ringing = at;
    this.alarmCount += 1;
    tell?.("the alarm rings");
    const instance = this.#begin();
    points.command = "alarm";
    void this.#rung(instance);
  }

  async #rung(instance: Instance): Promise<void> {
    try {
      await instance.object.alarm();
      if (!instance.isDead) this.#ringing = null;
    } catch (cause) {
      if (!instance.isDead) this.scene.breach("exception", `the alarm threw: ${String(cause)}`);
    }
  }

  #setClock(skewMs: number | null): void {
    if (skewMs === null) return;
    if (skewMs < this.#skewMs) this.isClockSteady = false;
    this.#skewMs = skewMs;
    this.skewMsMin = Math.min(this.skewMsMin, skewMs);
    this.skewMsMax = Math.max(this.skewMsMax, skewMs);
  }
}

function messageName({ request, attempt, isRepeat }: Delivery): string {
  const message = isRepeat ? " (once more)" : attempt === 1 ? "" : ` (attempt ${attempt})`;
  return nameOf(request) + message;
}

/** An end in words. */
export function endText({ isLossy, skewMs, mark }: End): string {
  const clock = skewMs === null ? "" : `, the next clock ${skewMs} ms ahead`;
  return `${isLossy ? "what is not on disk is lost" : "what was written stays"}${clock}, callers are told ${mark}`;
}
