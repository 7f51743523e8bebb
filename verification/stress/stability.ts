// `npm run stress:stability`: repeats one run on one server, because a race may be lost only once in a while.

import { setTimeout as pause } from "node:timers/promises";

import { EXIT, runCommand, usage } from "../../scripts/cli/command.ts";
import { checkOptions, LOAD_OPTIONS, MODES, seedOf, type Mode } from "./options.ts";
import { linesOf, type Report } from "./report.ts";
import { runMode } from "./session.ts";
import { targetOf } from "./target.ts";

const COMMAND = "npm run stress:stability";
const RUNS_DEFAULT = 5;
const RUNS_MAX = 1_000;

await runCommand(
  {
    name: COMMAND,
    operands: `[N] [${MODES.join("|")}]`,
    operandsMax: 2,
    about: `
Repeats a run of npm run stress on one server, each time with a new coupon, and pauses between runs. The default is
${RUNS_DEFAULT} runs of purchase-load. Exits with the number of failed runs, ${EXIT.failuresMax} at most.`,
    options: LOAD_OPTIONS,
  },
  async (call) => {
    const { options, operands } = call;
    checkOptions(COMMAND, options);
    const seed = seedOf(COMMAND, options.seed);
    const { runs, mode } = askedFor(operands);
    const target = await targetOf(COMMAND, call);

    let failedCount = 0;
    for (let run = 1; run <= runs; run += 1) {
      if (run > 1) await pause(options.cooldown * 1000);
      const coupon = options.coupon === undefined ? undefined : `${options.coupon}-${run}`;
      const { report, printChecks } = await runMode(target, { mode, coupon, options, seed: seed + run - 1 });
      console.log(`run ${run}/${runs} ${lineOf(report)}`);
      if (report.isPassed) continue;
      failedCount += 1;
      console.log(linesOf(report).join("\n"));
      printChecks();
    }
    console.log(`${runs - failedCount} of ${runs} runs of ${mode} passed`);
    return Math.min(failedCount, EXIT.failuresMax);
  },
);

function askedFor(operands: readonly string[]): { readonly runs: number; readonly mode: Mode } {
  // N and the mode may stand in any order.
  const numbers = operands.filter((word) => /^\d+$/.test(word));
  const words = operands.filter((word) => !/^\d+$/.test(word));
  const runs = numbers[0] === undefined ? RUNS_DEFAULT : Number(numbers[0]);
  const mode = MODES.find((known) => known === (words[0] ?? "purchase-load"));
  if (mode === undefined) throw usage({ name: COMMAND }, `no mode is called "${words[0] ?? ""}"`);
  if (numbers.length > 1 || words.length > 1) throw usage({ name: COMMAND }, "takes one number of runs and one mode");
  if (runs < 1 || runs > RUNS_MAX) throw usage({ name: COMMAND }, `takes 1 to ${RUNS_MAX} runs, not ${runs}`);
  return { runs, mode };
}

function lineOf({ isPassed, counters, latency }: Report): string {
  const counts = Object.entries(counters).filter(([name, count]) => count > 0 && /^claim_|^http_/.test(name));
  const times = Object.entries(latency).map(
    ([of, each]) => `${of} p50 ${each?.p50Ms.toFixed(0) ?? "-"} p99 ${each?.p99Ms.toFixed(0) ?? "-"} ms`,
  );
  return [isPassed ? "✓" : "✗", ...counts.map(([name, count]) => `${name} ${count}`), ...times].join("  ");
}
