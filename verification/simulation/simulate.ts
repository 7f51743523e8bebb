// A run over a range of seeds, on some threads.

import { Worker } from "node:worker_threads";

import type { Plan } from "./plan.ts";
import { added, NOTHING, type Sum } from "./totals.ts";
import type { Done, Failure, Setting, Task } from "./thread.ts";

export type RunOptions = Setting & {
  /** Seeds from `from` to `from + count - 1`: one history each. */
  readonly from: number;
  readonly count: number;
  readonly workers?: number;
  /** Plans in the place of those of the seeds, the first of them in the place of seed `from`. */
  readonly plans?: readonly Plan[];
  /** Tells the whole trace of each history. */
  readonly isTraced?: boolean;
  /** Ends the run once so many histories have failed. */
  readonly failuresMax?: number;
  /** Deals no more work after that many milliseconds. */
  readonly msMax?: number;
  readonly onProgress?: (doneCount: number) => void;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
};

export type Run = {
  /** How many histories were carried out. All of them, unless it ended early. */
  readonly doneCount: number;
  readonly sum: Sum;
  readonly failures: readonly Failure[];
  readonly traces: readonly string[];
  readonly seconds: number;
};

/** Seeds that a thread is given at once: some tenths of a second of work. */
const TASK_SIZE = 500;

/** Carries out all histories of a range. The sum is the same whatever the number of threads. */
export async function simulate(options: RunOptions): Promise<Run> {
  const startedAt = performance.now();
  const run = new Dealing(options);
  await Promise.all(Array.from({ length: Math.max(1, options.workers ?? 1) }, () => run.serve()));
  return { ...run.result(), seconds: (performance.now() - startedAt) / 1000 };
}

/** Deals tasks to threads, and adds up what they tell. */
class Dealing {
  readonly #options: RunOptions;
  readonly #startedAt = performance.now();
  #next: number;
  #sum: Sum = NOTHING;
  #doneCount = 0;
  readonly #failures: Failure[] = [];
  readonly #traces: { readonly from: number; readonly traces: readonly string[] }[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
    this.#next = options.from;
  }

  /** Has one thread work until there is nothing left to do. */
  async serve(): Promise<void> {
    const { bug, isWhole, isQuick } = this.#options;
    const workerData: Setting = {
      ...(bug === undefined ? {} : { bug }),
      ...(isWhole === undefined ? {} : { isWhole }),
      ...(isQuick === undefined ? {} : { isQuick }),
    };
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData });
    const stop = (): void => void worker.terminate();
    this.#options.signal?.addEventListener("abort", stop, { once: true });
    await new Promise<void>((resolve, reject) => {
      worker.on("error", reject);
      worker.on("exit", () => resolve());
      worker.on("message", (done: Done) => {
        this.#take(done);
        if (done.count > 0) worker.postMessage(this.#deal());
      });
      worker.postMessage(this.#deal());
    });
    this.#options.signal?.removeEventListener("abort", stop);
  }

  result(): Omit<Run, "seconds"> {
    const traces = this.#traces.toSorted((a, b) => a.from - b.from).flatMap(({ traces: some }) => some);
    const failures = this.#failures.toSorted((a, b) => a.seed - b.seed);
    return { doneCount: this.#doneCount, sum: this.#sum, failures, traces };
  }

  #deal(): Task {
    const { from, count, isTraced = false, plans, failuresMax = 10, msMax = Infinity } = this.#options;
    const isEnough = this.#failures.length >= failuresMax || performance.now() - this.#startedAt >= msMax;
    const size = isEnough ? 0 : Math.min(TASK_SIZE, from + count - this.#next);
    const own = plans?.slice(this.#next - from, this.#next - from + size);
    const task = { from: this.#next, count: size, isTraced, ...(own === undefined ? {} : { plans: own }) };
    this.#next += size;
    return task;
  }

  #take({ from, count, failures, traces, ...sum }: Done): void {
    this.#sum = added(this.#sum, sum);
    this.#doneCount += count;
    this.#failures.push(...failures);
    if (traces.length > 0) this.#traces.push({ from, traces });
    this.#options.onProgress?.(this.#doneCount);
  }
}
