// Whether the tests notice a mutant.

import { applied, type Mutant, type Suite } from "./mutant.ts";
import { runSuite, type Outcome } from "./suite.ts";

export type Verdict =
  | "killed"
  /** Noticed by a test that ran out of time, where waiting is what the fault does. */
  | "hung"
  | "survived"
  /** A test was too slow, where the fault makes nothing wait: that says nothing. */
  | "timed out"
  /** The tests could not be run. */
  | "unusable";

export type Result = {
  readonly name: string;
  readonly verdict: Verdict;
  /** The test that noticed, or that timed out. */
  readonly by: string | null;
  readonly why: string | null;
  readonly ms: number;
};

const SAYS_NOTHING = new Set<Verdict>(["timed out", "unusable"]);

/** How long one test may take where waiting for ever is what is looked for, in milliseconds. */
const HANG_MS = 10_000;

/** Puts the mutant into the copy at `root`, runs its suite, and takes it out again. */
export async function judged(mutant: Mutant, root: string, signal?: AbortSignal): Promise<Result> {
  const startedAt = performance.now();
  const takeOut = await applied(mutant, root);
  try {
    const limits = { ...(mutant.hangs === true ? { testMsMax: HANG_MS } : {}), ...(signal === undefined ? {} : { signal }) };
    let verdict = verdictOf(mutant, await runSuite(mutant.suite, root, limits));
    // A start that failed, or a machine that stood still, says nothing: once more.
    if (SAYS_NOTHING.has(verdict.verdict)) verdict = verdictOf(mutant, await runSuite(mutant.suite, root, limits));
    return { name: mutant.name, ...verdict, ms: Math.round(performance.now() - startedAt) };
  } finally {
    await takeOut();
  }
}

/** What an outcome of its suite says of a mutant. */
export function verdictOf({ hangs }: Pick<Mutant, "hangs">, outcome: Outcome): Pick<Result, "verdict" | "by" | "why"> {
  if (outcome.is === "failed") return { verdict: "killed", by: outcome.test, why: outcome.why };
  if (outcome.is === "passed") return { verdict: "survived", by: null, why: `${outcome.testCount} tests pass` };
  if (outcome.is === "unusable") return { verdict: "unusable", by: null, why: outcome.why };
  return { verdict: hangs === true && outcome.test !== null ? "hung" : "timed out", by: outcome.test, why: null };
}

/** Suites that hold every test that the mutants name, in at most `partCount` parts of each kind. */
export function suitesOf(mutants: readonly Mutant[], partCount: number): readonly Suite[] {
  const suites = mutants.map(({ suite }) => suite);
  return [
    ...parts(
      suites.filter(({ project, named }) => project === "workers" && named === undefined),
      partCount,
    ),
    ...parts(
      suites.filter(({ project, named }) => project === "workers" && named !== undefined),
      partCount,
    ),
    ...parts(
      suites.filter(({ project }) => project === "node"),
      partCount,
    ),
  ];
}

/** The suites as one, divided by files. */
function parts(suites: readonly Suite[], partCount: number): readonly Suite[] {
  const [first] = suites;
  if (first === undefined) return [];
  const names = new Set(suites.flatMap(({ named = [] }) => named));
  const files = Array.from(new Set(suites.flatMap((suite) => suite.files)));
  return Array.from({ length: Math.min(partCount, files.length) }, (_, part) => ({
    project: first.project,
    files: files.filter((_file, index) => index % partCount === part),
    ...(names.size === 0 ? {} : { named: [...names] }),
  }));
}
