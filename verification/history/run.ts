// `npm run differential`: has two checkers judge random small histories, and compares.

import { EXIT, runCommand } from "../../scripts/cli/command.ts";
import { progressOf } from "../../scripts/cli/progress.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { seedOf } from "../stress/options.ts";
import { differential } from "./differential.ts";

const COMMAND = "npm run differential";

await runCommand(
  {
    name: COMMAND,
    about: `
Checks the checker of recorded histories against a second one that tries every order of the operations, on random small
histories: right ones, and ones in which something was changed. Ends at the first on which they differ.`,
    options: {
      histories: { kind: "count", default: 200_000, max: 100_000_000, help: "how many" },
      seed: { kind: "text", value: "N", help: "draws the same histories again; a fresh one when left out" },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options }) => {
    const seed = seedOf(COMMAND, options.seed);
    console.log(`seed ${seed}`);
    const progress = progressOf("judging", options.histories);
    const { historyCount, rightCount, wrongCount, dispute } = await differential(options.histories, seed, progress.update);
    progress.stop();
    if (options.json !== undefined) await writeResults(options.json, { seed, historyCount, rightCount, wrongCount, dispute });
    if (dispute === null) console.log(`${historyCount} histories, one verdict on each: ${rightCount} right, ${wrongCount} wrong`);
    else console.log(`they differ on ${dispute}`);
    return dispute === null ? EXIT.ok : EXIT.failed;
  },
);
