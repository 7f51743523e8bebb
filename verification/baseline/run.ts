// `npm run baseline`: the same load on the product and on a Worker that reads first and then writes.

import { EXIT, runCommand } from "../../scripts/cli/command.ts";
import { writeResults } from "../../scripts/cli/results.ts";
import { bundleFor, folderFor, serverFor, type Ending } from "../../scripts/server/for-command.ts";
import { PRODUCT, type Served } from "../../scripts/server/workerd.ts";
import { isExact, oversoldBy, sell, type Sold } from "./sale.ts";

/** The product's app with the planted bug. */
const BASELINE = "verification/workers/unsafe-baseline.ts";

const COMMAND = {
  name: "npm run baseline",
  about: `A load that never breaks anything proves nothing. This one runs, in turns, on the product and on the same app with a common
bug: the Worker reads whether a unit is left, waits for the answer, and then writes the claim.
Exits with 1 unless that one oversells and the product grants exactly its stock every time.`,
  options: {
    users: { kind: "count", default: 1000, max: 10_000, help: "users who claim once each at the same instant" },
    stock: { kind: "count", default: 100, max: 10_000, help: "units of the coupon" },
    rounds: { kind: "count", default: 5, max: 1000, help: "sales on each of the two" },
    json: { kind: "text", value: "FILE", help: "writes the results there" },
  },
} as const;

type Round = { readonly round: number; readonly baseline: Sold; readonly product: Sold };

await runCommand(COMMAND, async ({ options, atEnd, signal }) => {
  const { users, stock } = options;
  const ending = { atEnd, signal };
  const folder = await folderFor(ending, "baseline");
  console.error("building and starting both");
  const baseline = await serverOf(BASELINE, folder, ending);
  const product = await serverOf(PRODUCT, folder, ending);

  const rounds: Round[] = [];
  console.log(`${users} users, ${stock} units, all at once\n`);
  console.log("round  baseline granted  oversold by  remaining   product granted  remaining");
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
  console.log(`\nbaseline: ${isOversold ? "oversold" : "DID NOT OVERSELL: this load proves nothing"}`);
  console.log(
    `product: ${inexactCount === 0 ? `exactly ${Math.min(users, stock)} every time` : `NOT EXACT in ${inexactCount} of ${rounds.length}`}`,
  );
  if (options.json !== undefined) await writeResults(options.json, { at: new Date().toISOString(), users, stock, rounds });
  return isOversold && inexactCount === 0 ? EXIT.ok : EXIT.failed;
});

async function serverOf(entry: string, folder: string, ending: Ending): Promise<Served> {
  const bundle = await bundleFor(ending, entry, folder);
  return serverFor(ending, bundle, { state: `${bundle}-state` });
}

function row(stock: number, { round, baseline, product }: Round): string {
  const numbers = [round, baseline.granted, oversoldBy({ stock }, baseline), baseline.remaining, product.granted, product.remaining];
  const widths = [5, 17, 12, 10, 17, 10];
  const errors = baseline.errors + product.errors === 0 ? "" : `   ${baseline.errors} and ${product.errors} errors`;
  return numbers.map((number, index) => String(number).padStart(widths[index] ?? 0)).join(" ") + errors;
}
