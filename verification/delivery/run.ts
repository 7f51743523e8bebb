// `npm run deliver`: kills the server while it delivers, and compares what arrived with the ledgers and with what callers got.

import { join } from "node:path";

import { CommandFailure, EXIT, runCommand } from "../../scripts/cli/command.ts";
import { progressOf } from "../../scripts/cli/progress.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { bundleFor, folderFor } from "../../scripts/server/for-command.ts";
import { PRODUCT, serve } from "../../scripts/server/workerd.ts";
import { seeded } from "../random.ts";
import { seedOf } from "../stress/options.ts";
import { drawKills, runSale, type Outcome } from "./sale.ts";

const COMMAND = "npm run deliver";
const KILLS_PER_SALE = 10;
const FAULTS_SHOWN_MAX = 20;

await runCommand(
  {
    name: COMMAND,
    about: `
Serves the built product with workerd on disk, with its couriers and its read model, and registers three webhook endpoints at a
receiver of its own. The receiver sometimes fails, hangs, closes the connection or answers late. Callers claim, hold, revoke and
change; coupons are deleted and created again. Meanwhile the server is killed with SIGKILL: at random instants, right after a
request arrived at the receiver, right after the receiver answered, or right after a caller got an answer. It starts again on the
same files. Every ${KILLS_PER_SALE} kills make a sale. After the last kill of a sale nothing is sent any more, and everything must be delivered:
in one sale much is left to deliver then, in the next only a claim that the courier has not heard of.

Then the command checks: each endpoint has every event of the ledgers that it wants, and every acknowledged claim; first arrivals
are in order, each after a 200 for the one before; a repeated message has the same id and body; every signature is right. The
verification of the files (npm run verify -- --delivered) compares the read model with the ledgers, row by row.`,
    options: {
      kills: { kind: "count", default: 30, max: 10_000, help: "kills in all" },
      claims: { kind: "count", default: 100, max: 10_000, help: "users who claim alone, of each coupon" },
      seed: { kind: "text", value: "N", help: "draws the same kills, requests and answers again; a new one when left out" },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const seed = seedOf(COMMAND, options.seed);
    const startedAt = new Date().toISOString();
    const random = seeded(seed);
    console.log(`seed ${seed}`);
    const folder = await folderFor({ atEnd, signal }, "deliver");
    const bundle = await bundleFor({ atEnd, signal }, PRODUCT, folder);
    const progress = progressOf("kills", options.kills);
    const outcomes: Outcome[] = [];
    let killCount = 0;
    try {
      while (killCount < options.kills) {
        const kills = drawKills(Math.min(KILLS_PER_SALE, options.kills - killCount), random);
        const state = join(folder, `state-${outcomes.length}`);
        const start = async () => {
          signal.throwIfAborted();
          return serve(bundle, { state, signal, vars: { WEBHOOK_TARGETS: "any" } }).catch((cause: unknown) => {
            throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
          });
        };
        const onKill = (): void => progress.update((killCount += 1));
        const onQuiet = (note: string): void => progress.update(killCount, note);
        const ending = outcomes.length % 2 === 0 ? "busy" : "idle";
        const sale = { name: `sale-${outcomes.length}`, claimCount: options.claims, kills, ending, random } as const;
        outcomes.push(await runSale(sale, { state, start, onKill, onQuiet }));
      }
    } finally {
      progress.stop();
    }
    const { lines, numbers, failures } = report(outcomes, killCount);
    console.log(lines.join("\n"));
    if (options.json !== undefined) {
      const faults = outcomes.flatMap((outcome) => outcome.faults);
      await writeResults(options.json, { isPassed: failures.length === 0, startedAt, seed, ...numbers, failures, faults });
    }
    return failures.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

function report(outcomes: readonly Outcome[], kills: number) {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const faults = outcomes.flatMap((outcome) => outcome.faults);
  const numbers = {
    kills,
    sales: outcomes.length,
    receipts: sum((outcome) => outcome.receipts),
    messages: sum((outcome) => outcome.messageCount),
    repeated: sum((outcome) => outcome.repeatedCount),
    failed: sum(({ faultCounts }) => faultCounts["status 500"] + faultCounts.closed),
    hanging: sum(({ faultCounts }) => faultCounts.hangs),
    late: sum(({ faultCounts }) => faultCounts.late),
    quietMsMax: Math.max(...outcomes.map(({ quietMs }) => quietMs)),
  };
  const failures = [
    ...(faults.length > 0 ? [`${faults.length} faults`] : []),
    ...(numbers.repeated === 0 ? ["no kill interrupted a delivery: no message arrived twice"] : []),
  ];
  const lines = [
    ...Object.entries(numbers).map(([name, value]) => `${name.padEnd(20)}${value.toLocaleString("en-US").padStart(10)}`),
    ...faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `✗ ${fault}`),
    ...(failures.length === 0 ? ["✓ passed"] : failures.map((failure) => `✗ ${failure}`)),
  ];
  return { lines, numbers, failures };
}
