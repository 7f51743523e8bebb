// `npm run crash`: kills the server or cuts its power under load, and looks for acknowledged claims on disk.

import { join } from "node:path";

import { CommandFailure, EXIT, runCommand } from "../../scripts/cli/command.ts";
import { progressOf } from "../../scripts/cli/progress.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { seeded } from "../random.ts";
import { bundleFor, folderFor, type Ending } from "../../scripts/server/for-command.ts";
import { PRODUCT, serve, type Served } from "../../scripts/server/workerd.ts";
import { seedOf } from "../stress/options.ts";
import { add, failuresOf, newCounters, type Outcome } from "./counters.ts";
import { Power } from "./power.ts";
import { boundOf, linesOf } from "./report.ts";
import { AMOUNT, CALLERS, CONNECTIONS, COUPONS, drawSale, runSale } from "./sale.ts";

const COMMAND = "npm run crash";
/** The product, except that it answers before it writes. */
const CONTROL = "verification/workers/write-behind.ts";
const CONTROL_KILLS_MIN = 5;
const CONTROL_KILLS_MAX = 100;
/** A sale's files are removed after it, so that a long run does not fill the disk. */
const KILLS_PER_SALE = 10;

type Harness = Ending & { readonly folder: string; readonly seed: number; readonly power: Power | null };

/** A build, and whether the disk below it lies about its flushes. */
type Build = { readonly entry: string; readonly isOnLies: boolean };
/** `LANES` of the product's sales, in turn. */
const LANES = ["off", "16", "auto"] as const;

await runCommand(
  {
    name: COMMAND,
    about: `
Serves the built product with workerd on disk, claims over ${CONNECTIONS} connections, and kills it with SIGKILL at random instants. After
each kill the command reads copies of the files and starts the server again on the same files. Callers without an answer
retry with the same Idempotency-Key. Every ${KILLS_PER_SALE} kills make a sale: ${COUPONS.length} coupons of ${AMOUNT} units each, and ${CALLERS} users in all.
LANES is ${LANES.join(", ")} in turn. Each coupon must end with exactly ${AMOUNT} claims, and every acknowledged claim must be in the
files after each kill and at the end.

The control, ${CONTROL}, answers before it writes. The same run must lose its claims; otherwise the
harness cannot see a loss, and the command fails.

kill -9 ends the process and not the machine. With --power, each kill is a cut of the power instead (as root on Linux, with a loop
device; otherwise it is skipped): the files are on an ext4 in a file, fsync is slowed, the server is stopped, and the block
device's content is copied. Unsynced data is missing from the copy, except sometimes a random part of its sectors. The server
goes on with the copy, after a replay of its journal. The control is then the product on a disk that lies: its fsync does
nothing, and the files may be broken. Not tested by this: a drive that loses or reorders accepted writes, or that lies.`,
    options: {
      kills: { kind: "count", default: 30, max: 10_000, help: "kills of the product; the control gets a fifth as many, 5 to 100" },
      seed: { kind: "text", value: "N", help: "draws the same kills again, as counts of answers and delays; a new one when left out" },
      power: { kind: "flag", help: "cuts the power instead" },
      json: { kind: "text", value: "FILE", help: "writes the numbers there" },
    },
  },
  async ({ options, atEnd, signal }) => {
    const seed = seedOf(COMMAND, options.seed);
    const startedAt = new Date().toISOString();
    const folder = await folderFor({ atEnd, signal }, "crash");
    console.log(`seed ${seed}`);
    const power = options.power ? await Power.open(folder, seed) : null;
    if (typeof power === "string") {
      console.log(`skipped: needs root and a loop device (${power})`);
      return EXIT.ok;
    }
    if (power !== null) atEnd(() => power.close());
    const controlKills = Math.min(CONTROL_KILLS_MAX, Math.max(CONTROL_KILLS_MIN, Math.ceil(options.kills / 5)));

    const harness = { folder, seed, power, atEnd, signal };
    const product = await crash("product", { entry: PRODUCT, isOnLies: false }, options.kills, harness);
    const cuts = power === null ? null : { ...power.cuts };
    const isOnLies = power?.canLie === true;
    const control = await crash("control", { entry: isOnLies ? PRODUCT : CONTROL, isOnLies }, controlKills, harness);
    const failures = failuresOf(product, control);

    console.log(linesOf(product, control, failures, cuts).join("\n"));
    if (options.json !== undefined) {
      const numbers = { product: product.counters, lostRateBelow: boundOf(product.counters), control: control.counters };
      const run = { isPassed: failures.length === 0, startedAt, seed, cuts, ...numbers, failures, faults: product.faults };
      await writeResults(options.json, run);
    }
    return failures.length === 0 ? EXIT.ok : EXIT.failed;
  },
);

/** Kills one build so many times, sale after sale. */
async function crash(label: string, { entry, isOnLies }: Build, kills: number, harness: Harness): Promise<Outcome> {
  const { folder, seed, power, signal } = harness;
  const bundle = await bundleFor(harness, entry, folder);
  const state = power?.state(label) ?? join(folder, label);
  const random = seeded(seed);
  const counters = newCounters();
  const faults: string[] = [];

  async function start(isFirst: boolean, saleIndex: number): Promise<Served> {
    signal.throwIfAborted();
    const lanes = entry === PRODUCT ? LANES[(saleIndex - 1) % LANES.length] : undefined;
    const options = { state, signal, vars: { LANES: lanes ?? "off" } };
    // The coupons must reach the disk: without them there are no claims to lose.
    const starting = power === null ? serve(bundle, options) : power.serve(bundle, options, isOnLies && !isFirst);
    return starting.catch((cause: unknown) => {
      throw new CommandFailure(cause instanceof Error ? cause.message : String(cause));
    });
  }

  const progress = progressOf(`${label}: kills`, kills);
  try {
    for (let killed = 0; killed < kills; killed += KILLS_PER_SALE) {
      const index = 1 + killed / KILLS_PER_SALE;
      const sale = drawSale(index, Math.min(KILLS_PER_SALE, kills - killed), random);
      let count = killed;
      const onKill = (): void => progress.update((count += 1));
      const account = await runSale(sale, { state, start: () => start(count === killed, index), onKill });
      add(counters, account.counters);
      faults.push(...account.faults);
    }
  } finally {
    progress.stop();
  }
  return { counters, faults };
}
