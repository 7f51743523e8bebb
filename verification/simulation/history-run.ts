// The run of one history: the steps of its plan at their instants, and all that follows, until nothing is
// pending.

import type { Result } from "../model/product-answers.ts";
import type { Answer } from "../model/types.ts";
import { Clients } from "./clients.ts";
import { Delivery as CourierDelivery } from "./delivery.ts";
import type { Context, PlatformBugs } from "./context.ts";
import { endText } from "./deliveries.ts";
import type { ExtraAnswer } from "./extra-answers.ts";
import { Lanes } from "./lanes.ts";
import { Isolates } from "./isolates.ts";
import type { Delivery } from "./network.ts";
import { Network } from "./network.ts";
import type { AskStep, Step } from "./plan.ts";
import { Platform } from "./platform.ts";
import type { Product } from "./product.ts";
import type { ReadModel } from "./read-model.ts";
import { askText } from "./requests.ts";
import { BACK_MS_MAX } from "./views.ts";

/** More events than a history has that ends by itself. */
const EVENTS_MAX = 20_000;

/** The last read: no fault is left, so it must be answered. */
const LAST: Omit<AskStep, "at"> = {
  is: "ask",
  client: 0,
  isolate: 0,
  ask: { kind: "read" },
  faultPlans: [],
  patience: 0,
  patienceMs: 0,
  leavesMs: null,
};

export class HistoryRun {
  readonly platform: Platform;
  readonly network: Network;
  readonly clients: Clients;
  readonly isolates: Isolates;
  /** Null where the coupon has no courier. */
  readonly delivery: CourierDelivery | null;
  /** Null where claims go to the coupon directly. */
  readonly lanes: Lanes | null;
  readonly extraAnswers: ExtraAnswer[] = [];
  readonly #context: Context;
  #takenCount = 0;
  #isLastAsked = false;

  constructor(
    context: Context,
    name: string,
    { objectClass, courierClass, laneClass, isolates }: Product,
    platformBugs: PlatformBugs,
    readModel: ReadModel,
  ) {
    this.#context = context;
    this.platform = new Platform(context, name, objectClass, platformBugs);
    const { delivery: planned } = context.plan;
    this.delivery = planned === undefined ? null : new CourierDelivery(context, planned, this.platform, courierClass, readModel);
    this.isolates = new Isolates(context);
    const { lanes } = context.plan;
    this.lanes = lanes === undefined ? null : new Lanes(context, lanes, this.platform, laneClass);
    this.network = new Network(context, this.platform, this.lanes, (received) => this.isolates.receive(received));
    this.clients = new Clients(context, this.network, isolates, this.isolates, name);
    this.platform.onAnswer = (delivery, result, answers) => this.#note(delivery, result, answers);
    this.platform.onEnd = () => (this.isolates.isAnyInUse ? context.count("lease.restartWithin") : undefined);
  }

  /** Runs all events, until none is left or `isBroken`. */
  toEnd(isBroken: () => boolean): void {
    const { plan, scheduler, breach } = this.#context;
    const isDrained = plan.isDrained || this.delivery !== null;
    for (const step of plan.steps) scheduler.after(step.at, () => this.#take(step));
    for (let count = 0; !isBroken(); count += 1) {
      const isOver = this.#takenCount === plan.steps.length && this.clients.openCount === 0;
      if (isOver && this.#isLastAsked) return;
      if (isOver && !isDrained) this.#askLast();
      if (scheduler.step()) this.#afterEvent();
      else if (isOver && !this.#isLastAsked) this.#askLast();
      else breach("rest", `${this.clients.openCount} requests wait for ever`);
      if (count > EVENTS_MAX) breach("rest", `it did not come to rest in ${EVENTS_MAX} events`);
    }
  }

  #afterEvent(): void {
    this.platform.afterEvent();
    this.delivery?.courier.afterEvent();
    this.lanes?.afterEvent();
  }

  #take(step: Step): void {
    const { log, points, isolateSkews, count } = this.#context;
    this.#takenCount += 1;
    if (step.is === "ask") this.clients.ask(step);
    else if (step.is === "restart") {
      count(step.isLossy ? "faults.powerCut" : "faults.eviction");
      this.platform.restart(step);
    } else {
      log?.(stepText(step));
      if (step.is === "rush") this.network.report(step.count);
      else if (step.is === "lanes") this.lanes?.end();
      else if (step.is === "break") points.arm(step);
      else if (step.is === "courier") this.delivery?.take(step);
      else if (step.is === "flush") this.platform.isFlushBad = true;
      else {
        count("clock.isolateSetBack");
        isolateSkews[step.isolate] = Math.max(-BACK_MS_MAX, (isolateSkews[step.isolate] ?? 0) - step.backMs);
      }
    }
  }

  /** Keeps an answer that a history has no words for: it is checked by itself. */
  #note(delivery: Delivery, result: Result, answers: readonly Answer[]): void {
    const { command, calls, ifMatch = null, page = null, request } = delivery;
    const [call] = calls;
    if (call?.kind === "claim" && call.key !== null && this.isolates.isBypassed(request.isolate)) this.#context.count("lease.bypassByKey");
    if (page === null && command !== "metrics" && ifMatch === null) return;
    this.extraAnswers.push({ command, result, incarnation: answers[0]?.incarnation ?? 0, ifMatch, page });
  }

  #askLast(): void {
    const { plan, storage, breach } = this.#context;
    // All alarms have run by now.
    if (plan.isDrained && storage.isRestoring && !storage.isAlarmOwed)
      breach("alarm", "no alarm discarded a restore that was not finished");
    if (plan.isDrained && storage.heldCount > 0 && !storage.isAlarmOwed) breach("alarm", "a hold is over, and no alarm gave it up");
    this.#isLastAsked = true;
    this.#context.log?.("nothing fails any more");
    this.#context.points.disarm();
    this.platform.isFlushBad = false;
    const { scheduler } = this.#context;
    this.clients.openCount += 1;
    scheduler.after(0, () => {
      this.clients.openCount -= 1;
      this.clients.ask({ ...LAST, at: scheduler.now });
    });
  }
}

/** A step in words. */
export function stepText(step: Step): string {
  if (step.is === "ask") return `client ${step.client} asks ${askText(step.ask)}`;
  if (step.is === "clock") return `the clock of isolate ${step.isolate} is set back by ${step.backMs} ms`;
  if (step.is === "rush") return `isolates report ${step.count} claims that they have refused before the start`;
  if (step.is === "lanes") return "all lanes end";
  if (step.is === "flush") return "the object will be answered that its next flush failed";
  if (step.is === "courier") return `the courier is to ${step.what}`;
  if (step.is === "restart") return `the instance ends: ${endText(step)}`;
  return `the fault point after ${step.skip} others will ${step.how === "throw" ? "throw" : `end the instance: ${endText(step)}`}`;
}
