// `npm run baseline`: the same rush on the product and on a Worker that looks first and writes then, which oversells.

import { join } from "node:path";

import { CommandFailure, EXIT, runCommand } from "../cli/command.ts";
import { writeResults } from "../cli/results.ts";
import { build, PRODUCT, removeScratch, scratchFolder, serve, type Served } from "../server/workerd.ts";
import { isExact, oversoldBy, sell, type Sold } from "./sale.ts";

/** The entry of the Worker with the mistake. */
const BASELINE = "verification/workers/unsafe-baseline.ts";

const COMMAND = {
  name: "npm run baseline",
  about: `A load that never breaks anything proves nothing. This one is let loose, in turns, on the product and on the same app with a
mistake that many make: the Worker looks whether a unit is left, waits for the answer, and then writes the claim.
Exits with 1 unless that one oversells, and the product gives out exactly its stock every time.`,
  options: {
    users: { kind: "count", default: 1000, max: 10_000, help: "who claim at the same instant, each once" },
    stock: { kind: "count", default: 100, max: 10_000, help: "units of the coupon" },
    rounds: { kind: "count", default: 5, max: 1000, help: "sales on each of the two" },
    json: { kind: "text", value: "FILE", help: "write the results there as well" },
  },
} as const;

type Round = { readonly round: number; readonly baseline: Sold; readonly product: Sold };

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  const { users, stock } = options;
  const folder = await scratchFolder("baseline");
  atEnd(() => removeScratch(folder));

  async function started(entry: string, name: string): Promise<Served> {
    const building = build(entry, folder, signal);
    // Interrupted, it still writes into the folder for a moment.
    atEnd(() => building.catch(() => undefined));
    const bundle = await building.catch(() => {
      throw new CommandFailure(`${entry} does not build: npm run build tells why`);
    });
    const server = await serve(bundle, { state: join(folder, name), signal });
    atEnd(() => server.kill());
    return server;
  }
  console.error("building and starting both");
  const baseline = await started(BASELINE, "baseline-state");
  const product = await started(PRODUCT, "product-state");

  const rounds: Round[] = [];
  console.log(`${users} users, ${stock} units, everybody at once\n`);
  console.log("round  baseline granted  oversold by  left by its count   product granted  left by its count");
  for (let round = 1; round <= options.rounds; round += 1) {
    const sale = { users, stock, coupon: `round-${round}` };
    const sold = {
      round,
      baseline: await sell("baseline", baseline.url, sale),
      product: await sell("product", product.url, sale),
    };
    rounds.push(sold);
    console.log(row(stock, sold));
  }

  const isOversold = rounds.some((sold) => oversoldBy(options, sold.baseline) > 0);
  const inexactCount = rounds.filter((sold) => !isExact(options, sold.product)).length;
  console.log(`\nbaseline: ${isOversold ? "oversold" : "DID NOT OVERSELL: this load shows nothing"}`);
  console.log(
    `product: ${inexactCount === 0 ? `exactly ${Math.min(users, stock)} every time` : `NOT EXACT in ${inexactCount} of ${rounds.length}`}`,
  );
  if (options.json !== undefined) await writeResults(options.json, { at: new Date().toISOString(), users, stock, rounds });
  return isOversold && inexactCount === 0 ? EXIT.ok : EXIT.failed;
});

function row(stock: number, { round, baseline, product }: Round): string {
  const cells = [
    String(round).padStart(5),
    String(baseline.granted).padStart(17),
    String(oversoldBy({ stock }, baseline)).padStart(12),
    String(baseline.remaining).padStart(18),
    String(product.granted).padStart(17),
    String(product.remaining).padStart(18),
  ];
  const errors = baseline.errors + product.errors;
  return cells.join(" ") + (errors === 0 ? "" : `   ${baseline.errors} and ${product.errors} errors`);
}
