// `npm run faults`: histories of a server whose network, objects and process break, each checked for linearizability.

import { CommandFailure, EXIT, runCommand } from "../cli/command.ts";
import { progressOf } from "../cli/progress.ts";
import { writeResults } from "../cli/results.ts";
import { build, removeScratch, scratchFolder } from "../server/workerd.ts";
import { seedOf } from "../stress/options.ts";
import { ISOLATES } from "./harness.ts";
import { HOOKED, BUGGY, BUGS, runRounds, type RoundsOptions } from "./rounds.ts";
import { linesOf, unmetIn } from "./totals.ts";

const COMMAND = "npm run faults";
const TRACES_SHOWN_MAX = 3;
/** So many histories have to meet every answer that there is to meet. */
const HISTORIES_TO_MEET_ALL = 240;
/** How far the clock of the day may move against the one that only goes forward, in milliseconds. */
const CLOCK_SHIFT_MS_MAX = 5;

await runCommand(
  {
    name: COMMAND,
    about: `
Serves the built product with workerd on disk: ${ISOLATES} isolates in front of the same objects, with certificates on. In each history three
to eight clients send some forty requests about one coupon, each to one of the isolates: claims, holds and their ends, releases,
changes, reads, deletions. The network between them loses, delays, doubles, truncates and
cuts; objects are aborted and evicted, the server is killed with SIGKILL and started again on the same files; clients leave,
and ask again with the same key. Then the ledger is read from copies of the files, and the history has to be linearizable:
every answer right, at an instant at which it can have been given, in the order of the ledger, and none behind one that began
after it had ended. A refusal at the edge is an answer as any other.

The seed draws the same clients, faults and kills again; what meets what, and so what is asked next, is up to the machine.
kill -9 ends the process and not the machine: the disk, and a loss of power, are not tested by this.`,
    options: {
      histories: { kind: "count", default: 60, max: 1_000_000, help: "how many" },
      seed: { kind: "text", value: "N", help: "draws the same again; a fresh one when left out" },
      bug: {
        kind: "text",
        value: "NAME",
        help: `serves a build with this bug, which has to be found (exit code 1): ${BUGS.join(", ")}`,
      },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const seed = seedOf(COMMAND, options.seed);
    const startedAt = new Date();
    const clockShift = Date.now() - performance.now();
    const entry = options.bug === undefined ? HOOKED : BUGGY;
    if (options.bug !== undefined && !(BUGS as readonly string[]).includes(options.bug))
      throw new CommandFailure(`--bug takes ${BUGS.join(", ")}, not "${options.bug}"`, EXIT.usage);
    const folder = await scratchFolder("faults");
    atEnd(() => removeScratch(folder));
    console.log(`seed ${seed}`);
    const building = build(entry, folder, signal);
    atEnd(() => building.catch(() => undefined));
    const bundle = await building.catch(() => {
      throw new CommandFailure(`${entry} does not build: npm run build tells why`);
    });

    const vars: Record<string, string> = options.bug === undefined ? {} : { BUG: options.bug };
    const { totals, wrong } = await shown({ histories: options.histories, seed, bundle, folder, vars, signal });

    if (Math.abs(Date.now() - performance.now() - clockShift) > CLOCK_SHIFT_MS_MAX && wrong.length > 0)
      throw new CommandFailure("the clock of this machine was set while it ran: nothing can be said about the histories");
    for (const { name, trace } of wrong.slice(0, TRACES_SHOWN_MAX)) console.log(`\n${name} (seed ${seed})\n${trace}\n`);
    if (wrong.length > TRACES_SHOWN_MAX) console.log(`and ${wrong.length - TRACES_SHOWN_MAX} more\n`);
    console.log(linesOf(totals, wrong.length).join("\n"));
    const unmet = totals.histories < HISTORIES_TO_MEET_ALL ? [] : unmetIn(totals);
    if (unmet.length > 0) console.log(`✗ never met: ${unmet.join(", ")}`);
    const seconds = (Date.now() - startedAt.getTime()) / 1_000;
    console.log(`in ${seconds.toFixed(0)} s`);
    if (options.json !== undefined) {
      const rateBelow = wrong.length === 0 ? 3 / totals.histories : null;
      const run = {
        isPassed: wrong.length === 0 && unmet.length === 0,
        startedAt: startedAt.toISOString(),
        seconds,
        seed,
        entry,
        ...totals,
        wrong,
        rateBelow,
      };
      await writeResults(options.json, run);
    }
    return wrong.length === 0 && unmet.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

async function shown(options: Omit<RoundsOptions, "onJudged">) {
  const progress = progressOf("histories", options.histories);
  try {
    return await runRounds({ ...options, onJudged: progress.update });
  } finally {
    progress.stop();
  }
}
