// `npm run stress`: loads a server over real sockets, then verifies its coupons.

import { appendFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { EXIT, runCommand, usage } from "../../scripts/cli/command.ts";
import { writeResults, writeText } from "../../scripts/cli/results.ts";
import { checkOptions, LOAD_OPTIONS, MODES, seedOf, type Mode } from "./options.ts";
import { linesOf, markdownOf, type Report } from "./report.ts";
import { runMode } from "./session.ts";
import { targetOf } from "./target.ts";

const COMMAND = "npm run stress";

await runCommand(
  {
    name: COMMAND,
    operands: `[${[...MODES, "all"].join("|")}]`,
    operandsMax: 1,
    about: `
Loads a server over real sockets, each virtual user on its own connection, and then verifies that exactly the stock was
granted. The default mode is purchase-load; all runs every mode in turn. Exits with 1 when a threshold or a check fails, and
with 69 when the server cannot be loaded.`,
    options: {
      ...LOAD_OPTIONS,
      json: { kind: "text", value: "FILE", help: "writes the reports there" },
      markdown: { kind: "text", value: "FILE", help: "writes a summary there" },
    },
  },
  async (call) => {
    const { options, operands } = call;
    checkOptions(COMMAND, options);
    const seed = seedOf(COMMAND, options.seed);
    const modes = modesOf(operands[0] ?? "purchase-load");
    const target = await targetOf(COMMAND, call);

    const reports: Report[] = [];
    for (const mode of modes) {
      if (reports.length > 0) await pause(options.cooldown * 1000);
      const coupon = options.coupon === undefined || modes.length === 1 ? options.coupon : `${options.coupon}-${mode}`;
      const { report, printChecks } = await runMode(target, { mode, coupon, options, seed });
      console.log(linesOf(report).join("\n"));
      console.log();
      printChecks();
      console.log();
      reports.push(report);
    }
    const failed = reports.filter(({ isPassed }) => !isPassed).map(({ mode }) => mode);
    console.log(failed.length === 0 ? "all thresholds kept" : `thresholds not kept: ${failed.join(", ")}`);
    if (options.json !== undefined) await writeResults(options.json, { isPassed: failed.length === 0, seed, reports });
    if (options.markdown !== undefined) await writeText(options.markdown, markdownOf(reports));
    const page = process.env["GITHUB_STEP_SUMMARY"];
    if (page !== undefined && page !== "") await appendFile(page, markdownOf(reports));
    return failed.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

function modesOf(word: string): readonly Mode[] {
  const modes = word === "all" ? MODES : MODES.filter((mode) => mode === word);
  if (modes.length === 0) throw usage({ name: COMMAND }, `no mode is called "${word}"`);
  return modes;
}
