// `npm run simulate`: random histories of one coupon under a seeded scheduler, each one checked.

import { availableParallelism } from "node:os";

import { EXIT, runCommand, usage } from "../../scripts/cli/command.ts";
import { progressOf } from "../../scripts/cli/progress.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { FEATURES_FROM, missedFeatures } from "./features.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { failureText, linesOf, rateText, unstruckPoints } from "./report.ts";
import { simulate, type Run } from "./simulate.ts";

const COMMAND = "npm run simulate";

await runCommand(
  {
    name: COMMAND,
    about: `
Carries out random histories of one coupon: the object as it is deployed, on SQLite in memory, and the Worker's app in three
isolates, which clients send HTTP requests to. Time, messages, disk and randomness come from a seed. Messages are delayed, lost and
repeated, flushes are slow and overlap, storage throws, instances end at any point with or without what was not yet on disk, visitors
leave, clocks are set back. Every answer is checked against the specification, and the tables against their own ledger. One history
of eight has a courier, a read model and receivers of webhooks. At its end, each has what the ledgers say. One of
eight erases users, and one of eight restores backups of its coupon.

A history is one seed. The same seed gives the same history to the byte; a run over a range can be gone on with at the next seed.
A history that fails is cut down and printed. A run of 20,000 or more fails as well where it missed a feature.`,
    options: {
      histories: { kind: "count", default: 200_000, max: 1_000_000_000, help: "how many" },
      seed: { kind: "count", default: 1, min: 0, max: 2 ** 32 - 1, help: "the first one; the others follow it" },
      minutes: { kind: "count", default: 0, min: 0, max: 100_000, help: "ends after that long with what was done by then; 0 never does" },
      workers: { kind: "text", value: "N|cores", default: "1", help: "threads" },
      trace: { kind: "flag", help: "prints each history, step by step" },
      bug: { kind: "text", value: "NAME", help: `plants a bug that is to be found: ${Object.keys(PLANTED_BUGS).join(", ")}` },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, signal }) => {
    const { histories, seed, bug, json } = options;
    if (bug !== undefined && !(bug in PLANTED_BUGS)) throw usage({ name: COMMAND }, `there is no bug "${bug}"`);
    console.log(`seeds ${seed} to ${seed + histories - 1}`);
    const startedAt = performance.now();
    const progress = progressOf("simulating", histories);
    const run = await simulate({
      from: seed,
      count: histories,
      workers: workersOf(options.workers),
      isTraced: options.trace,
      ...(options.minutes === 0 ? {} : { msMax: options.minutes * 60_000 }),
      ...(bug === undefined ? {} : { bug }),
      onProgress: (count) => progress.update(count, `${Math.round((count / (performance.now() - startedAt)) * 1000)} a second`),
      signal,
    }).finally(progress.stop);
    if (run.traces.length > 0) console.log(run.traces.join("\n\n"));
    if (run.failures.length > 0) console.log(run.failures.map(failureText).join("\n"));
    console.log(linesOf(run).join("\n"));
    if (json !== undefined) await writeResults(json, numbersOf(run, seed, bug));
    return run.failures.length === 0 && !isTooPoor(run) ? EXIT.ok : EXIT.failed;
  },
);

/** A long run that missed a feature has not tested it. */
function isTooPoor({ doneCount, counts }: Run): boolean {
  return doneCount >= FEATURES_FROM && missedFeatures(counts).length > 0;
}

function workersOf(given: string): number {
  if (given === "cores") return availableParallelism();
  const count = Number(given);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw usage({ name: COMMAND }, `--workers takes a number from 1 to 256, or "cores", not "${given}"`);
}

function numbersOf({ doneCount, counts, digest, failures, seconds }: Run, seed: number, bug: string | undefined): object {
  return {
    seeds: { first: seed, last: seed + doneCount - 1, next: seed + doneCount },
    histories: doneCount,
    operations: counts["operations"] ?? 0,
    seconds: Math.round(seconds * 10) / 10,
    perSecond: Math.round(doneCount / seconds),
    violations: failures.map(({ seed: failed, breach }) => ({ seed: failed, ...breach })),
    ...(failures.length === 0 ? { trueRateBelow: rateText(doneCount) } : {}),
    ...(bug === undefined ? {} : { plantedBug: bug }),
    digest,
    counts,
    neverStruck: unstruckPoints(counts),
  };
}
