// `npm run mutants`: puts one fault after the other into copies of the sources, and reports whether the tests notice.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CommandFailure, EXIT, runCommand, usage } from "../cli/command.ts";
import { progressOf } from "../cli/progress.ts";
import { writeResults } from "../cli/results.ts";
import { removeScratch, scratchFolder } from "../server/workerd.ts";
import { copyCheckout, ROOT } from "./copy.ts";
import { inLanes } from "./lanes.ts";
import { MUTANTS } from "./list.ts";
import { mutatedFiles, type Mutant, type Suite } from "./mutant.ts";
import { judged, suitesOf, type Result } from "./judge.ts";
import { runSuite } from "./suite.ts";

const COMMAND = {
  name: "npm run mutants",
  about: `A green suite proves little unless it can turn red. Each mutant is a fault put into a copy of the sources on purpose; the
tests that should notice it are run there. First the copy without a fault has to pass all of them.
Exits with 1 where one survives.`,
  options: {
    only: { kind: "text", value: "NAME[,NAME]", help: "these mutants alone" },
    list: { kind: "flag", help: "print the list, and run nothing" },
    json: { kind: "text", value: "FILE", help: "write the results there as well" },
    atOnce: { kind: "count", default: 2, max: 16, help: "copies to work in at the same time" },
  },
} as const;

/** How long many suites at once may take without a fault, in milliseconds. */
const GREEN_MS_MAX = 900_000;

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  const mutants = selected(options.only);
  if (options.list) {
    for (const { name, fault } of mutants) console.log(`${name.padEnd(nameWidth(mutants))}  ${fault}`);
    return EXIT.ok;
  }
  const startedAt = performance.now();
  // Before anything is copied: one that does not fit the sources any more ends the command at once.
  for (const mutant of mutants) await mutatedFiles(mutant, (file) => readFile(join(ROOT, file), "utf8"));

  const scratch = await scratchFolder("mutants");
  atEnd(() => removeScratch(scratch));
  /** Interrupted, it still writes into the copies for a moment. */
  function settled<Done>(work: Promise<Done>): Promise<Done> {
    atEnd(() => work.catch(() => undefined));
    return work;
  }
  const copies = Array.from({ length: options.atOnce }, (_, index) => join(scratch, `copy-${index + 1}`));
  await settled(Promise.all(copies.map(copyCheckout)));
  await settled(expectGreen(mutants, copies, signal));
  const cleanMs = performance.now() - startedAt;
  const results = await settled(judgeAll(mutants, copies, signal));
  const took = { cleanMs: Math.round(cleanMs), totalMs: Math.round(performance.now() - startedAt) };

  print(results, took);
  if (options.json !== undefined) await writeResults(options.json, { at: new Date().toISOString(), ...took, results });
  return results.every(({ verdict }) => verdict === "killed" || verdict === "hung") ? EXIT.ok : EXIT.failed;
});

function selected(only: string | undefined): readonly Mutant[] {
  if (only === undefined) return MUTANTS;
  return only.split(",").map((wanted) => {
    const mutant = MUTANTS.find(({ name }) => name === wanted);
    if (mutant === undefined) throw usage(COMMAND, `there is no mutant "${wanted}"; --list names them`);
    return mutant;
  });
}

/** Without a fault every suite has to pass: what is red anyway would kill anything. */
async function expectGreen(mutants: readonly Mutant[], copies: readonly string[], signal: AbortSignal): Promise<void> {
  const suites = suitesOf(mutants, copies.length);
  const progress = progressOf("suites without a fault", suites.length);
  await inLanes(
    copies,
    suites,
    (copy, suite) => expectPass(suite, copy, signal),
    (count) => progress.update(count),
  ).finally(progress.stop);
}

async function expectPass(suite: Suite, copy: string, signal: AbortSignal): Promise<void> {
  const limits = { runMsMax: GREEN_MS_MAX, signal };
  const first = await runSuite(suite, copy, limits);
  // What fails by chance is a fault too, but none that the mutants are about.
  if (first.is !== "passed") console.error(`once more, because it did not pass: ${suite.files.join(" ")} ${JSON.stringify(first)}`);
  const outcome = first.is === "passed" ? first : await runSuite(suite, copy, limits);
  if (outcome.is === "passed") return;
  const what = "test" in outcome && outcome.test !== null ? `"${outcome.test}"` : suite.files.join(" ");
  const why = "why" in outcome ? outcome.why : "out of time";
  throw new CommandFailure(`${what} does not pass without a fault, so it can't show one: ${why}`);
}

async function judgeAll(mutants: readonly Mutant[], copies: readonly string[], signal: AbortSignal): Promise<readonly Result[]> {
  const progress = progressOf("mutants", mutants.length);
  const results = new Map<string, Result>();
  // Those that take longest first.
  const order = mutants.toSorted((a, b) => Number(b.suite.project === "workers") - Number(a.suite.project === "workers"));
  const judge = async (copy: string, mutant: Mutant) => void results.set(mutant.name, await judged(mutant, copy, signal));
  await inLanes(copies, order, judge, (count, { name }) => progress.update(count, name)).finally(progress.stop);
  return mutants.flatMap(({ name }) => results.get(name) ?? []);
}

function nameWidth(mutants: readonly { readonly name: string }[]): number {
  return Math.max(...mutants.map(({ name }) => name.length));
}

function print(results: readonly Result[], { cleanMs, totalMs }: { readonly cleanMs: number; readonly totalMs: number }): void {
  for (const { name, verdict, by, why, ms } of results) {
    console.log(
      `${verdict.toUpperCase().padEnd(9)} ${name.padEnd(nameWidth(results))} ${(ms / 1000).toFixed(1).padStart(5)} s  ${by ?? why ?? ""}`,
    );
  }
  const count = (...verdicts: Result["verdict"][]) => results.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const hung = count("hung") === 0 ? "" : ` (${count("hung")} of them by a test that waits for ever, as it has to)`;
  console.log(`\n${count("killed", "hung")} of ${results.length} mutants killed${hung}, ${count("survived")} survived`);
  if (count("timed out", "unusable") > 0) console.log(`${count("timed out", "unusable")} say nothing: out of time, or could not be run`);
  console.log(`${(totalMs / 1000).toFixed(0)} s, of which ${(cleanMs / 1000).toFixed(0)} s for the suites without a fault`);
}
