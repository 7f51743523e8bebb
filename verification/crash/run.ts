// `npm run crash`: kills the server or cuts its power at random instants under load, and compares what was acknowledged with the disk.

import { join } from "node:path";

import { CommandFailure, EXIT, runCommand, type Call, type Options } from "../cli/command.ts";
import { progressOf } from "../cli/progress.ts";
import { writeResults } from "../cli/results.ts";
import { seeded } from "../random.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../server/workerd.ts";
import { seedOf } from "../stress/options.ts";
import { Power } from "./power.ts";
import { boundOf, linesOf } from "./report.ts";
import { AMOUNT, CALLERS, CONNECTIONS, COUPONS, drawSale, runSale } from "./sale.ts";
import { add, failuresOf, nothing, type Outcome } from "./tally.ts";

const COMMAND = "npm run crash";
/** Answers before it writes; all else is as in the product. */
const CONTROL = "verification/workers/write-behind.ts";
const CONTROL_KILLS_MIN = 5;
const CONTROL_KILLS_MAX = 100;
/** A sale has files of its own, which are removed after it, so that a long run does not fill the disk. */
const KILLS_PER_SALE = 10;

/** What a run needs of the command. */
type Ground = Pick<Call<Options>, "atEnd" | "signal"> & { readonly folder: string; readonly seed: number; readonly power: Power | null };

/** A build, and whether the disk below it lies about its flushes. */
type Build = { readonly entry: string; readonly isOnLies: boolean };

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

kill -9 ends the process and not the machine. With --power, each kill is a cut of the power instead (as root on Linux, with a loop
device; otherwise it is skipped): the files are on an ext4 in a file, fsync is slowed, the server is stopped, and what the block
device has been given is copied. What was not synced is missing from the copy, but for a random part of its sectors now and
then. The server goes on with the copy, after a replay of its journal. The control is the product on a disk that lies: its fsync
does nothing, and what is left may be no database at all. Not tested by this: a drive that loses or reorders what it was given, or that lies.`,
    options: {
      kills: { kind: "count", default: 30, max: 10_000, help: "kills of the product; the control gets a fifth as many, 5 to 100" },
      seed: { kind: "text", value: "N", help: "draws the same kills again, as counts of answers and delays; a fresh one when left out" },
      power: { kind: "flag", help: "cuts the power instead" },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const seed = seedOf(COMMAND, options.seed);
    const startedAt = new Date().toISOString();
    const folder = await scratchFolder("crash");
    atEnd(() => removeScratch(folder));
    console.log(`seed ${seed}`);
    const power = options.power ? await Power.open(folder, seed) : null;
    if (typeof power === "string") {
      console.log(`skipped: needs root and a loop device (${power})`);
      return EXIT.ok;
    }
    if (power !== null) atEnd(() => power.close());
    const controlKills = Math.min(CONTROL_KILLS_MAX, Math.max(CONTROL_KILLS_MIN, Math.ceil(options.kills / 5)));

    const ground = { folder, seed, power, atEnd, signal };
    const product = await crash("product", { entry: PRODUCT, isOnLies: false }, options.kills, ground);
    const cuts = power === null ? null : { ...power.cuts };
    const isOnLies = power?.canLie === true;
    const control = await crash("control", { entry: isOnLies ? PRODUCT : CONTROL, isOnLies }, controlKills, ground);
    const failures = failuresOf(product, control);

    console.log(linesOf(product, control, failures, cuts).join("\n"));
    if (options.json !== undefined) {
      const numbers = { product: product.tally, lostRateBelow: boundOf(product.tally), control: control.tally };
      const run = { isPassed: failures.length === 0, startedAt, seed, cuts, ...numbers, failures, faults: product.faults };
      await writeResults(options.json, run);
    }
    return failures.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

/** Puts one build through so many kills, sale after sale. */
async function crash(label: string, { entry, isOnLies }: Build, kills: number, ground: Ground): Promise<Outcome> {
  const { folder, seed, power, atEnd, signal } = ground;
  const building = build(entry, folder, signal);
  // Interrupted, it still writes into the folder for a moment.
  atEnd(() => building.catch(() => undefined));
  const bundle = await building.catch(() => {
    throw new CommandFailure(`${entry} does not build: npx wrangler deploy ${entry} --dry-run tells why`);
  });
  const state = power?.state(label) ?? join(folder, label);
  const random = seeded(seed);
  const tally = nothing();
  const faults: string[] = [];

  async function start(isFirst: boolean): Promise<Served> {
    signal.throwIfAborted();
    const options = { state, signal };
    // Without coupons on the disk there would be no claims to lose.
    const starting = power === null ? serve(bundle, options) : power.serve(bundle, options, isOnLies && !isFirst);
    return starting.catch((cause: unknown) => {
      throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
    });
  }

  const progress = progressOf(`${label}: kills`, kills);
  try {
    for (let killed = 0; killed < kills; killed += KILLS_PER_SALE) {
      const sale = drawSale(1 + killed / KILLS_PER_SALE, Math.min(KILLS_PER_SALE, kills - killed), random);
      let count = killed;
      const onKill = (): void => progress.update((count += 1));
      const account = await runSale(sale, { state, start: () => start(count === killed), onKill });
      add(tally, account.tally);
      faults.push(...account.faults);
    }
  } finally {
    progress.stop();
  }
  return { tally, faults };
}
