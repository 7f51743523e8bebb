// `npm run mutation`: puts faults into copies of the sources, and reports whether the tests notice.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CommandFailure, EXIT, runCommand, usage } from "../cli/command.ts";
import { progressOf } from "../cli/progress.ts";
import { writeResults } from "../cli/results.ts";
import { removeScratch, scratchFolder } from "../server/workerd.ts";
import { copyCheckout, ROOT } from "./copy.ts";
import { MUTATIONS } from "./list.ts";
import { mutatedFiles, type Mutation, type Suite } from "./mutation.ts";
import { atEachPlace } from "./parallel.ts";
import { runSuite } from "./suite.ts";
import { judge, type Result } from "./verdict.ts";

const COMMAND = {
  name: "npm run mutation",
  about: `A green suite proves little unless it can turn red. Each mutation is a fault put into a copy of the sources on purpose.
The test file that should notice it runs there. First the copy without a fault has to pass all of them.
Exits with 1 where one survives.`,
  options: {
    only: { kind: "text", value: "NAME[,NAME]", help: "these mutations alone" },
    list: { kind: "flag", help: "print the list, and run nothing" },
    json: { kind: "text", value: "FILE", help: "write the results there as well" },
    atOnce: { kind: "count", default: 2, max: 16, help: "copies to work in at the same time" },
  },
} as const;

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  const mutations = selected(options.only);
  if (options.list) {
    for (const { name, fault } of mutations) console.log(`${name}: ${fault}`);
    return EXIT.ok;
  }
  const startedAt = performance.now();
  // A mutation that no longer fits the sources ends the command before anything is copied.
  for (const mutation of mutations) await mutatedFiles(mutation, (file) => readFile(join(ROOT, file), "utf8"));

  const scratch = await scratchFolder("mutation");
  atEnd(() => removeScratch(scratch));
  const copies = Array.from({ length: options.atOnce }, (_, index) => join(scratch, `copy-${index + 1}`));
  const running = runAll(mutations, copies, signal);
  // After an interrupt it still writes into the copies for a moment.
  atEnd(() => running.catch(() => undefined));
  const results = await running;
  const totalMs = Math.round(performance.now() - startedAt);

  for (const result of results) print(result);
  const survivedCount = results.filter(({ verdict }) => verdict !== "killed" && verdict !== "hung").length;
  console.log(`\n${results.length - survivedCount} of ${results.length} mutations killed in ${(totalMs / 1000).toFixed(0)} s`);
  if (options.json !== undefined) await writeResults(options.json, { at: new Date().toISOString(), totalMs, results });
  return survivedCount === 0 ? EXIT.ok : EXIT.failed;
});

function selected(only: string | undefined): readonly Mutation[] {
  if (only === undefined) return MUTATIONS;
  return only.split(",").map((wanted) => {
    const mutation = MUTATIONS.find(({ name }) => name === wanted);
    if (mutation === undefined) throw usage(COMMAND, `there is no mutation "${wanted}"; --list names them`);
    return mutation;
  });
}

async function runAll(mutations: readonly Mutation[], copies: readonly string[], signal: AbortSignal): Promise<readonly Result[]> {
  await Promise.all(copies.map(copyCheckout));
  // A suite that is red without a fault would kill anything.
  const suites = [...new Map(mutations.map(({ suite }) => [suite.file, suite])).values()];
  await withProgress("suites without a fault", copies, suites, (copy, suite) => expectGreen(suite, copy, signal));
  const results = new Map<string, Result>();
  await withProgress("mutations", copies, mutations, async (copy, mutation) => {
    results.set(mutation.name, await judge(mutation, copy, signal));
  });
  return mutations.flatMap(({ name }) => results.get(name) ?? []);
}

async function expectGreen(suite: Suite, copy: string, signal: AbortSignal): Promise<void> {
  const outcome = await runSuite(suite, copy, signal);
  if (outcome.is === "passed") return;
  throw new CommandFailure(`${suite.file} does not pass without a fault, so it can't show one: ${JSON.stringify(outcome)}`);
}

async function withProgress<Item>(
  label: string,
  copies: readonly string[],
  items: readonly Item[],
  work: (copy: string, item: Item) => Promise<void>,
): Promise<void> {
  const progress = progressOf(label, items.length);
  await atEachPlace(copies, items, work, progress.update).finally(progress.stop);
}

function print({ name, verdict, by, why, ms }: Result): void {
  console.log(`${verdict.toUpperCase().padEnd(9)} ${name} (${(ms / 1000).toFixed(1)} s): ${by ?? why ?? ""}`);
}
