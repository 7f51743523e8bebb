// One thread of a run: it takes ranges of seeds, carries out their plans, and returns what came of them.

import { parentPort, workerData } from "node:worker_threads";

import type { Breach } from "./context.ts";
import type { Plan } from "./plan.ts";
import { planOf } from "./planning.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { loadProduct } from "./product.ts";
import { assertDrains } from "./scheduler.ts";
import { shrunk } from "./shrink.ts";
import { Simulator } from "./simulation.ts";
import { addCounts, addedDigests, digestText, type Counts, type DigestSum } from "./totals.ts";

/** What a thread is given at its start. */
export type Setting = {
  /** The name of one of {@link PLANTED_BUGS}. */
  readonly bug?: string;
  /** Ends a task at its first failure, and does not shrink the plan. */
  readonly isQuick?: boolean;
};

/** Seeds from `from` on, or the plans that take their places. A count of 0 ends the thread. */
export type Task = { readonly from: number; readonly count: number; readonly isTraced: boolean; readonly plans?: readonly Plan[] };

/** A history that breaks a promise, as the smallest plan that still breaks it. */
export type Failure = { readonly seed: number; readonly breach: Breach; readonly plan: Plan; readonly trace: string };

/** What came of a task. */
export type Done = {
  readonly from: number;
  readonly count: number;
  readonly counts: Counts;
  readonly digest: DigestSum;
  readonly failures: readonly Failure[];
  readonly traces: readonly string[];
};

const { bug, isQuick = false } = workerData as Setting;
const planted = bug === undefined ? null : (PLANTED_BUGS[bug] ?? null);
const simulator = new Simulator(await loadProduct(), planted?.platformBugs ?? {});

function failureOf(plan: Plan, breach: Breach): Failure {
  const least = isQuick ? plan : shrunk(plan, (candidate) => simulator.run(candidate).breach?.rule === breach.rule);
  const { breach: left, trace } = simulator.run(least, true);
  return { seed: plan.seed, breach: left ?? breach, plan: least, trace: trace.join("\n") };
}

function carryOut({ from, count, isTraced, plans }: Task): Done {
  const counts: Record<string, number> = {};
  let digest: DigestSum = [0, 0];
  const failures: Failure[] = [];
  const traces: string[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const plan = plans?.[seed - from] ?? planOf(seed);
    const outcome = runNamed(seed, () => simulator.run(plan, isTraced));
    addCounts(counts, outcome.counts);
    digest = addedDigests(digest, outcome.digest);
    if (isTraced) traces.push(`seed ${seed}, digest ${digestText(outcome.digest)}\n${outcome.trace.join("\n")}`);
    // One failure of a task is enough: shrinking takes as long as some thousands of histories.
    if (outcome.breach !== null && failures.length === 0) failures.push(failureOf(plan, outcome.breach));
    if (isQuick && failures.length > 0) break;
  }
  return { from, count, counts, digest, failures, traces };
}

/** Names the seed in an error of the simulation itself. */
function runNamed<Result>(seed: number, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    throw new Error(`seed ${seed} could not be carried out`, { cause });
  }
}

parentPort?.on("message", (task: Task) => {
  assertDrains();
  parentPort?.postMessage(carryOut(task));
  if (task.count > 0) return;
  simulator.close();
  parentPort?.close();
});
