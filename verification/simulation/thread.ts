// One thread of a run: takes ranges of seeds, carries out their plans, and tells what came of them.

import { parentPort, workerData } from "node:worker_threads";

import { PLANTED_BUGS } from "./planted-bugs.ts";
import type { Plan } from "./plan.ts";
import { planOf } from "./planning.ts";
import { Coverage, type CoverageRow } from "./points.ts";
import { loadProduct } from "./product.ts";
import { digestText, type Breach } from "./context.ts";
import { assertDrains } from "./scheduler.ts";
import { shrunk } from "./shrink.ts";
import { Simulator } from "./simulation.ts";
import { Databases } from "./storage.ts";
import { addedDigests, Totals, type Counts, type Sum } from "./totals.ts";

/** What a thread is answered at its beginning. */
export type Setting = {
  /** One of {@link PLANTED_BUGS}, by its name. */
  readonly bug?: string;
  /** Creates and drops real tables in every history, which is slower, instead of rolling back to the ones that are there. */
  readonly isWhole?: boolean;
  /** Leaves plans that fail as long as they are, and a task at the first of them. */
  readonly isQuick?: boolean;
};

/**
 * What a thread is asked: seeds from `from` on, with the whole trace of each if `isTraced`, or the plans that stand in their place;
 * nothing more to do if `count` is 0.
 */
export type Task = { readonly from: number; readonly count: number; readonly isTraced?: boolean; readonly plans?: readonly Plan[] };

/** A history that breaks a promise, and the least of it that still does. */
export type Failure = { readonly seed: number; readonly breach: Breach; readonly plan: Plan; readonly trace: string };

/** What came of a task. */
export type Done = {
  readonly from: number;
  readonly count: number;
  readonly counts: Counts;
  readonly digest: Sum["digest"];
  readonly failures: readonly Failure[];
  readonly traces: readonly string[];
  /** Of all tasks so far; answered at the end. */
  readonly coverage: readonly CoverageRow[];
};

const { bug, isWhole = false, isQuick = false } = workerData as Setting;
const planted = bug === undefined ? null : (PLANTED_BUGS[bug] ?? null);
const product = await loadProduct();

const coverage = new Coverage();
const totals = new Totals();
const databases = new Databases({ isWhole, pointOf: (statement) => coverage.pointOf(statement) });
const simulator = new Simulator({ product, databases, coverage, totals, platformBugs: planted?.platformBugs ?? {} });

/** What is run to cut a plan down counts for nothing. */
function failureOf(plan: Plan, breach: Breach): Failure {
  const forget = coverage.mark();
  const counts = { ...totals.counts };
  const least = isQuick ? plan : shrunk(plan, (candidate) => simulator.run(candidate).breach?.rule === breach.rule);
  const { breach: left, trace } = simulator.run(least, true);
  forget();
  totals.counts = counts;
  return { seed: plan.seed, breach: left ?? breach, plan: least, trace: trace.join("\n") };
}

function carryOut({ from, count, isTraced = false, plans }: Task): Done {
  totals.counts = {};
  let digest: Sum["digest"] = [0, 0];
  const failures: Failure[] = [];
  const traces: string[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const plan = plans?.[seed - from] ?? planOf(seed);
    const outcome = ranWithName(seed, () => simulator.run(plan, isTraced));
    digest = addedDigests(digest, outcome.digest);
    if (isTraced) traces.push(`seed ${seed}, digest ${digestText(...outcome.digest)}\n${outcome.trace.join("\n")}`);
    // One is enough to begin with, and cutting it down takes as long as some thousands of others.
    if (outcome.breach !== null && failures.length === 0) failures.push(failureOf(plan, outcome.breach));
    if (isQuick && failures.length > 0) break;
  }
  return { from, count, counts: totals.counts, digest, failures, traces, coverage: count === 0 ? coverage.rows() : [] };
}

/** What the simulation itself did not expect: the seed says where. */
function ranWithName<Result>(seed: number, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    throw new Error(`seed ${seed} could not be carried out`, { cause });
  }
}

parentPort?.on("message", (task: Task) => {
  assertDrains();
  const done = carryOut(task);
  if (task.count === 0) {
    databases.close();
    parentPort?.postMessage(done);
    parentPort?.close();
  } else parentPort?.postMessage(done);
});
