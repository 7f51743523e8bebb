// What all parts of one history share.

import type { Random } from "../random.ts";
import type { Plan } from "./plan.ts";
import type { Points } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Storage } from "./storage.ts";

/** A promise of the product that was broken: which one, and how. */
export type Breach = { readonly rule: string; readonly what: string };

export type Context = {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly points: Points;
  readonly storage: Storage;
  readonly digest: Digest;
  /** What is drawn while it runs: pauses, and how long the disk takes. */
  readonly random: Random;
  /** Writes the trace; null while nobody reads it. */
  readonly log: ((line: string) => void) | null;
  /** Ends the history: the first breach counts. */
  readonly breach: (rule: string, what: string) => void;
  /** By how much the clock of what runs now is ahead of the true one. */
  skewMs: number;
  /** By isolate: by how much its clock is ahead of the true one. */
  readonly isolateSkews: number[];
  /** The request for which an isolate runs now. */
  visitor: Visitor | null;
};

/** A request in an isolate: once its visitor has left, it goes on only while work of `waitUntil` does. */
export type Visitor = { readonly isolate: number; hasLeft: boolean; pendingCount: number };

/** Has an isolate run for a request, unless nothing keeps that alive any more. */
export function runFor(context: Context, visitor: Visitor, run: () => void): void {
  if (visitor.hasLeft && visitor.pendingCount === 0) return;
  context.visitor = visitor;
  context.skewMs = context.isolateSkews[visitor.isolate] ?? 0;
  run();
}

/** What the platform lets slip: only a bug that was planted lets it. */
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

  get low(): number {
    return this.#low >>> 0;
  }

  get high(): number {
    return this.#high >>> 0;
  }
}

/** A digest as it is printed. */
export function digestText(high: number, low: number): string {
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
