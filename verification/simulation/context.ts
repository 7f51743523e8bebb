// What all parts of one history share.

import type { Random } from "../random.ts";
import type { Plan } from "./plan.ts";
import type { Points } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Storage } from "./storage.ts";
import type { DigestSum } from "./totals.ts";

/** A promise of the product that was broken: the rule, and how. */
export type Breach = { readonly rule: string; readonly what: string };

export type Context = {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly points: Points;
  readonly storage: Storage;
  readonly digest: Digest;
  /** What is drawn during the run: pauses, and how long the disk takes. */
  readonly random: Random;
  /** Writes a line of the trace; null while the trace is off. */
  readonly log: ((line: string) => void) | null;
  readonly count: (name: string, by?: number) => void;
  /** Ends the history: the first breach counts. */
  readonly breach: (rule: string, what: string) => void;
  /** How far the clock of the running code is ahead of the true one, in milliseconds. */
  skewMs: number;
  /** The same by isolate. */
  readonly isolateSkews: number[];
  /** The request for which an isolate runs now. */
  visitor: Visitor | null;
};

/** A request in an isolate. Once its visitor has left, it runs only while work of `waitUntil` is pending. */
export type Visitor = { readonly isolate: number; hasLeft: boolean; pendingCount: number };

/** Runs code of an isolate for a request, unless nothing keeps that request alive. */
export function runFor(context: Context, visitor: Visitor, run: () => void): void {
  if (visitor.hasLeft && visitor.pendingCount === 0) return;
  context.visitor = visitor;
  context.skewMs = context.isolateSkews[visitor.isolate] ?? 0;
  run();
}

/** Bugs that can be planted into the simulated platform. */
export type PlatformBugs = {
  readonly answersBeforeDisk?: true;
  readonly forgetsAlarms?: true;
  readonly keepsFailedTransactions?: true;
};

/** A number that stands for all that happened in a history, in its order (FNV-1a over two lanes). */
export class Digest {
  #low = 0x811c9dc5;
  #high = 0x01000193;

  add(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ value ^ (this.#low >>> 15), 0x85ebca6b);
  }

  addText(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.add(text.charCodeAt(index));
  }

  get value(): DigestSum {
    return [this.#high >>> 0, this.#low >>> 0];
  }
}
