// `npm run faults`: histories of a server whose network, objects and process fail, each checked for
// linearizability.

import { CommandFailure, EXIT, runCommand } from "../../scripts/cli/command.ts";
import { progressOf } from "../../scripts/cli/progress.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { build, removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";
import { seedOf } from "../stress/options.ts";
import { ISOLATES } from "./harness.ts";
import { BUGGY, BUGS, HOOKED, runRounds } from "./rounds.ts";
import { linesOf, unmetIn } from "./totals.ts";

const COMMAND = "npm run faults";
const WRONG_SHOWN_MAX = 3;
/** So many histories have to reach every outcome that there is. */
const HISTORIES_TO_REACH_ALL = 240;
/** How far the clock of the day may move against the monotonic one, in milliseconds. */
const CLOCK_SHIFT_MS_MAX = 5;

await runCommand(
  {
    name: COMMAND,
    about: `
Serves the built product with workerd on disk: ${ISOLATES} isolates in front of the same objects, with certificates on. In each history
three to eight clients send some forty requests about one coupon through all isolates. The network loses, delays, doubles, truncates and
cuts requests. One round in three has four lanes, another one \`LANES=auto\`. Objects and lanes are aborted and evicted. The server is killed with SIGKILL and started again on the same files. Clients leave,
and ask again with the same key. Then the ledger is read from copies of the files, and the history has to be linearizable.
A refusal at the edge is an answer like any other.

The seed draws the same clients, faults and kills again. Their order in time depends on the machine.
kill -9 ends the process and not the machine: this command does not test the disk or a loss of power.`,
    options: {
      histories: { kind: "count", default: 60, max: 1_000_000, help: "how many" },
      seed: { kind: "text", value: "N", help: "draws the same again; a fresh one when left out" },
      bug: { kind: "text", value: "NAME", help: `serves a build with a bug, which has to be found (exit code 1): ${BUGS.join(", ")}` },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const { histories, bug, json } = options;
    if (bug !== undefined && !BUGS.some((name) => name === bug))
      throw new CommandFailure(`--bug takes ${BUGS.join(", ")}, not "${bug}"`, EXIT.usage);
    const seed = seedOf(COMMAND, options.seed);
    console.log(`seed ${seed}`);
    const startedAt = new Date();
    const clockShift = Date.now() - performance.now();
    const entry = bug === undefined ? HOOKED : BUGGY;
    const folder = await scratchFolder("faults");
    atEnd(() => removeScratch(folder));
    const building = build(entry, folder, signal);
    atEnd(() => building.catch(() => undefined));
    const bundle = await building.catch(() => {
      throw new CommandFailure(`${entry} does not build: npm run build says why`);
    });
    const progress = progressOf("histories", histories);
    const vars: Record<string, string> = bug === undefined ? {} : { BUG: bug };
    const rounds = runRounds({ histories, seed, bundle, folder, vars, signal, onJudged: progress.update });
    const { totals, wrong } = await rounds.finally(progress.stop);

    if (Math.abs(Date.now() - performance.now() - clockShift) > CLOCK_SHIFT_MS_MAX && wrong.length > 0)
      throw new CommandFailure("the clock of this machine was set during the run: the histories prove nothing");
    for (const { name, text } of wrong.slice(0, WRONG_SHOWN_MAX)) console.log(`\n${name} (seed ${seed})\n${text}\n`);
    console.log(linesOf(totals, wrong.length).join("\n"));
    const unmet = histories < HISTORIES_TO_REACH_ALL || wrong.length > 0 ? [] : unmetIn(totals);
    if (unmet.length > 0) console.log(`✗ never reached: ${unmet.join(", ")}`);
    const isPassed = wrong.length === 0 && unmet.length === 0;
    const seconds = (Date.now() - startedAt.getTime()) / 1_000;
    if (json !== undefined) {
      const rateBelow = wrong.length === 0 ? 3 / histories : null;
      await writeResults(json, { isPassed, startedAt: startedAt.toISOString(), seconds, seed, entry, totals, wrong, rateBelow });
    }
    return isPassed ? EXIT.ok : EXIT.failed;
  },
);
