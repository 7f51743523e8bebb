// The flushes of the object's writes to disk: how long each takes, and their order.

import type { Context } from "./context.ts";
import type { Timer } from "./scheduler.ts";

export class Flushes {
  readonly #context: Context;
  readonly #flushed: (version: number) => void;
  /** Those under way, in their order, each with its last write. */
  #all: { readonly version: number; readonly at: number; readonly timer: Timer }[] = [];

  constructor(context: Context, flushed: (version: number) => void) {
    this.#context = context;
    this.#flushed = flushed;
  }

  /** Begins a flush up to a write, unless one is under way that includes it. */
  begin(version: number): void {
    const { scheduler, plan, random, count } = this.#context;
    const last = this.#all.at(-1);
    if (last !== undefined && version <= last.version) return;
    const isSlow = random.below(100) < plan.slowFlushes;
    const ms = isSlow ? random.below(plan.slowDiskMs + 1) : plan.diskMs + random.below(plan.diskJitterMs + 1);
    if (isSlow) count("flushes.slow");
    if (last !== undefined) count("flushes.several");
    // A later flush is not on disk before an earlier one.
    const at = Math.max(scheduler.now + ms, last?.at ?? 0);
    this.#all.push({ version, at, timer: scheduler.after(at - scheduler.now, () => this.#end(version)) });
  }

  /** The instance has ended, and its flushes with it. */
  end(): void {
    for (const { timer } of this.#all.splice(0)) timer.run = null;
  }

  #end(version: number): void {
    this.#all = this.#all.filter((flush) => flush.version > version);
    this.#flushed(version);
  }
}
