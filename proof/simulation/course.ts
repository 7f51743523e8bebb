// The course of one history: the steps of its plan at their instants, and all that follows from them, until it is at rest.

import { askText, Clients } from "./clients.ts";
import { Network } from "./network.ts";
import type { AskStep, Step } from "./plan.ts";
import { endText, Platform } from "./platform.ts";
import type { Product } from "./product.ts";
import { Routes } from "./routes.ts";
import type { Scene, Slips } from "./scene.ts";

/** More than any history comes to that ends by itself. */
const EVENTS_MAX = 20_000;

/** The last question: nothing fails any more, so there has to be an answer. */
const LAST: Omit<AskStep, "at"> = { is: "ask", client: 0, isolate: 0, ask: { kind: "read" }, fates: [], patience: 0, patienceMs: 0 };

export class Course {
  readonly platform: Platform;
  readonly network: Network;
  readonly clients: Clients;
  readonly #scene: Scene;
  #takenCount = 0;
  #isLastAsked = false;

  constructor(scene: Scene, name: string, { objectClass, edge }: Product, slips: Slips) {
    this.#scene = scene;
    this.platform = new Platform(scene, name, objectClass, slips);
    this.network = new Network(scene, this.platform);
    this.clients = new Clients(scene, new Routes(this.network, edge, name, scene.plan.isEdgeOn));
  }

  /** Lets everything happen, until nothing is left to happen or `isBroken`. */
  run(isBroken: () => boolean): void {
    const { plan, scheduler, breach } = this.#scene;
    for (const step of plan.steps) scheduler.after(step.at, () => this.#take(step));
    for (let count = 0; !isBroken(); count += 1) {
      const isOver = this.#takenCount === plan.steps.length && this.clients.openCount === 0;
      if (isOver && this.#isLastAsked) return;
      if (isOver && !plan.isDrained) this.#askLast();
      if (scheduler.step()) this.platform.afterEvent();
      else if (isOver && !this.#isLastAsked) this.#askLast();
      else breach("rest", `${this.clients.openCount} requests wait for ever`);
      if (count > EVENTS_MAX) breach("rest", `it did not come to rest in ${EVENTS_MAX} events`);
    }
  }

  #take(step: Step): void {
    this.#takenCount += 1;
    if (step.is === "ask") this.clients.ask(step);
    else if (step.is === "restart") this.platform.restart(step);
    else {
      this.#scene.tell?.(stepText(step));
      this.#scene.points.arm(step);
    }
  }

  #askLast(): void {
    const { plan, storage, breach } = this.#scene;
    // All alarms have rung by now.
    if (plan.isDrained && storage.heldCount > 0 && !storage.isAlarmOwed) breach("alarm", "a hold is over, and no alarm gave it up");
    this.#isLastAsked = true;
    this.#scene.tell?.("nothing fails any more");
    this.#scene.points.disarm();
    this.clients.ask({ ...LAST, at: this.#scene.scheduler.now });
  }
}

/** A step in words. */
export function stepText(step: Step): string {
  if (step.is === "ask") return `client ${step.client} asks ${askText(step.ask)}`;
  if (step.is === "restart") return `the instance ends: ${endText(step)}`;
  return `the fault point after ${step.skip} others will ${step.how === "throw" ? "throw" : `end the instance: ${endText(step)}`}`;
}
