// `npm run crash`: kills the server at random instants under load, and compares what was told with what is on disk.

import { join } from "node:path";

import { CommandFailure, EXIT, runCommand, type Call, type Options } from "../cli/command.ts";
import { progressOf } from "../cli/progress.ts";
import { writeResults } from "../cli/results.ts";
import { seeded } from "../random.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../server/workerd.ts";
import { seedOf } from "../stress/options.ts";
import { boundOf, linesOf } from "./report.ts";
import { AMOUNT, CALLERS, CONNECTIONS, COUPONS, drawSale, runSale } from "./sale.ts";
import { add, failuresOf, nothing, type Outcome } from "./tally.ts";

const COMMAND = "npm run crash";
/** Answers before it writes; all else is as in the product. */
const CONTROL = "proof/workers/write-behind.ts";
const CONTROL_KILLS_MIN = 5;
const CONTROL_KILLS_MAX = 100;
/** A sale has files of its own, which are removed after it, so that a long run does not fill the disk. */
const KILLS_PER_SALE = 10;

/** What a run needs of the command. */
type Ground = Pick<Call<Options>, "atEnd" | "signal"> & { readonly folder: string; readonly seed: number };

await runCommand(
  {
    name: COMMAND,
    about: `
Serves the built product with workerd on disk, claims over ${CONNECTIONS} connections, and kills it with SIGKILL at random instants. After
each kill copies of the files are read, the server starts again on the same files, and whoever got no answer asks again with
the same Idempotency-Key. Every ${KILLS_PER_SALE} kills make a sale: ${COUPONS.length} coupons of ${AMOUNT} units each, and ${CALLERS} users in all. Each coupon must end
with exactly ${AMOUNT} claims, and all that anybody was told must be in the files, after each kill and at the end.

The control, ${CONTROL}, answers before it writes. It goes through the same and has to lose claims: a
harness that sees no loss there could see none here, so the command fails then.

kill -9 ends the process and not the machine: the disk, and a loss of power, are not tested by this.`,
    options: {
      kills: { kind: "count", default: 30, max: 10_000, help: "kills of the product; the control gets a fifth as many, 5 to 100" },
      seed: { kind: "text", value: "N", help: "draws the same kills again, as counts of answers and delays; a fresh one when left out" },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const seed = seedOf(COMMAND, options.seed);
    const startedAt = new Date().toISOString();
    const folder = await scratchFolder("crash");
    atEnd(() => removeScratch(folder));
    console.log(`seed ${seed}`);
    const controlKills = Math.min(CONTROL_KILLS_MAX, Math.max(CONTROL_KILLS_MIN, Math.ceil(options.kills / 5)));

    const ground = { folder, seed, atEnd, signal };
    const product = await crash("product", PRODUCT, options.kills, ground);
    const control = await crash("control", CONTROL, controlKills, ground);
    const failures = failuresOf(product, control);

    console.log(linesOf(product, control, failures).join("\n"));
    if (options.json !== undefined) {
      const numbers = { product: product.tally, lostRateBelow: boundOf(product.tally), control: control.tally };
      const run = { isPassed: failures.length === 0, startedAt, seed, ...numbers, failures, faults: product.faults };
      await writeResults(options.json, run);
    }
    return failures.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

/** Puts one build through so many kills, sale after sale. */
async function crash(label: string, entry: string, kills: number, { folder, seed, atEnd, signal }: Ground): Promise<Outcome> {
  const building = build(entry, folder, signal);
  // Interrupted, it still writes into the folder for a moment.
  atEnd(() => building.catch(() => undefined));
  const bundle = await building.catch(() => {
    throw new CommandFailure(`${entry} does not build: npx wrangler deploy ${entry} --dry-run tells why`);
  });
  const state = join(folder, label);
  const random = seeded(seed);
  const tally = nothing();
  const faults: string[] = [];

  async function start(): Promise<Served> {
    signal.throwIfAborted();
    return serve(bundle, { state, signal }).catch((cause: unknown) => {
      throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
    });
  }

  const progress = progressOf(`${label}: kills`, kills);
  try {
    for (let killed = 0; killed < kills; killed += KILLS_PER_SALE) {
      const sale = drawSale(1 + killed / KILLS_PER_SALE, Math.min(KILLS_PER_SALE, kills - killed), random);
      let count = killed;
      const account = await runSale(sale, { state, start, onKill: () => progress.update((count += 1)) });
      add(tally, account.tally);
      faults.push(...account.faults);
    }
  } finally {
    progress.stop();
  }
  return { tally, faults };
}
