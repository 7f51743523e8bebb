// A run over a range of seeds, on some threads.

import { Worker } from "node:worker_threads";

import type { Plan } from "./plan.ts";
import type { Done, Failure, Setting, Task } from "./thread.ts";
import { addCounts, addedDigests, type Counts, type DigestSum } from "./totals.ts";

export type RunOptions = Setting & {
  /** The seeds are `from` to `from + count - 1`: one history each. */
  readonly from: number;
  readonly count: number;
  readonly workers?: number;
  /** Plans instead of those of the seeds, the first of them for seed `from`. */
  readonly plans?: readonly Plan[];
  /** Traces each history, step by step. */
  readonly isTraced?: boolean;
  /** Ends the run once so many histories have failed. */
  readonly failuresMax?: number;
  /** Ends the run after so many milliseconds. */
  readonly msMax?: number;
  readonly onProgress?: (doneCount: number) => void;
  readonly signal?: AbortSignal;
};

export type Run = {
  /** How many histories were carried out. */
  readonly doneCount: number;
  readonly counts: Counts;
  readonly digest: DigestSum;
  readonly failures: readonly Failure[];
  readonly traces: readonly string[];
  readonly seconds: number;
};

/** Seeds in one task: some tenths of a second of work. */
const TASK_SIZE = 500;

/** Carries out all histories of a range. The sums do not depend on the number of threads. */
export async function simulate(options: RunOptions): Promise<Run> {
  const { from, count, workers = 1, isTraced = false, plans, failuresMax = 10, msMax = Infinity, signal } = options;
  const { bug, isQuick } = options;
  const setting: Setting = { ...(bug === undefined ? {} : { bug }), ...(isQuick === undefined ? {} : { isQuick }) };
  const startedAt = performance.now();
  const done: Done[] = [];
  const failureCount = (): number => done.reduce((sum, { failures }) => sum + failures.length, 0);
  let next = from;

  function nextTask(): Task {
    const isEnough = failureCount() >= failuresMax || performance.now() - startedAt >= msMax;
    const size = isEnough ? 0 : Math.min(TASK_SIZE, from + count - next);
    const own = plans?.slice(next - from, next - from + size);
    const task = { from: next, count: size, isTraced, ...(own === undefined ? {} : { plans: own }) };
    next += size;
    return task;
  }

  async function serve(): Promise<void> {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: setting });
    const stop = (): void => void worker.terminate();
    signal?.addEventListener("abort", stop, { once: true });
    await new Promise<void>((resolve, reject) => {
      worker.on("error", reject);
      worker.on("exit", () => resolve());
      worker.on("message", (result: Done) => {
        if (result.count === 0) return;
        done.push(result);
        options.onProgress?.(done.reduce((sum, one) => sum + one.count, 0));
        worker.postMessage(nextTask());
      });
      worker.postMessage(nextTask());
    });
    signal?.removeEventListener("abort", stop);
  }

  await Promise.all(Array.from({ length: workers }, serve));
  const counts: Record<string, number> = {};
  for (const one of done) addCounts(counts, one.counts);
  const inOrder = done.toSorted((a, b) => a.from - b.from);
  return {
    doneCount: inOrder.reduce((sum, one) => sum + one.count, 0),
    counts,
    digest: inOrder.map((one) => one.digest).reduce(addedDigests, [0, 0]),
    failures: inOrder.flatMap(({ failures }) => failures),
    traces: inOrder.flatMap(({ traces }) => traces),
    seconds: (performance.now() - startedAt) / 1000,
  };
}
