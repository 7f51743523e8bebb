// Whether the tests notice a mutation.

import { applied, type Mutation } from "./mutation.ts";
import { runSuite, type Outcome } from "./suite.ts";

export type Verdict =
  | "killed"
  /** A test ran out of time, and waiting for ever is what the fault causes. */
  | "hung"
  | "survived"
  /** A test was too slow although the fault makes nothing wait. That proves nothing. */
  | "timed out"
  /** The tests could not be run. */
  | "unusable";

export type Result = {
  readonly name: string;
  readonly verdict: Verdict;
  /** The test that failed or timed out. */
  readonly by: string | null;
  readonly why: string | null;
  readonly ms: number;
};

/** How long one test may take where the fault causes a hang, in milliseconds. */
const HANG_MS = 10_000;

/** Applies the mutation to the copy at `root`, runs its suite, and undoes it. */
export async function judge(mutation: Mutation, root: string, signal: AbortSignal): Promise<Result> {
  const startedAt = performance.now();
  const undo = await applied(mutation, root);
  const run = async () => verdictOf(mutation, await runSuite(mutation.suite, root, signal, mutation.hangs ? HANG_MS : undefined));
  try {
    let verdict = await run();
    // A failed start or a machine that stood still proves nothing, so it runs once more.
    if (verdict.verdict === "timed out" || verdict.verdict === "unusable") verdict = await run();
    return { name: mutation.name, ...verdict, ms: Math.round(performance.now() - startedAt) };
  } finally {
    await undo();
  }
}

/** What the outcome of its suite means for a mutation. */
export function verdictOf({ hangs }: Pick<Mutation, "hangs">, outcome: Outcome): Pick<Result, "verdict" | "by" | "why"> {
  if (outcome.is === "failed") return { verdict: "killed", by: outcome.test, why: outcome.why };
  if (outcome.is === "passed") return { verdict: "survived", by: null, why: `${outcome.testCount} tests pass` };
  if (outcome.is === "unusable") return { verdict: "unusable", by: null, why: outcome.why };
  return { verdict: hangs === true && outcome.test !== null ? "hung" : "timed out", by: outcome.test, why: null };
}
