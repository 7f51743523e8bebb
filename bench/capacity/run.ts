// `npm run plan`: whether one object is enough for a sale, how long users wait, and what it costs.

import * as limits from "../../src/domain/limits.ts";
import { leaseEnd } from "../../src/domain/certificate.ts";
import { EXIT, runCommand, type Command, type Options } from "../../scripts/cli/command.ts";
import { writeResults, writeText } from "../../scripts/cli/results.ts";
import { count } from "../report/format.ts";
import { chart } from "./chart.ts";
import { costsIn, REFERENCE } from "./costs.ts";
import { priceOf } from "./price.ts";
import { changeMsMax, forecast, type Forecast, type Sale, type Waits } from "./queue.ts";

const COMMAND = {
  name: "npm run plan",
  about: `Simulates a sale in front of one coupon's object: is one object enough, how long do users wait, what does it cost?
The simulation uses the costs that the benchmark measured and Cloudflare's published limits of an object. Its figures are as
good as those. Waits are without the network's.`,
  options: {
    users: { kind: "count", default: 100_000, max: 100_000_000, help: "how many users claim, once each" },
    stock: { kind: "count", default: 1_000, max: 2_147_483_647, help: "units" },
    seconds: { kind: "count", default: 10, max: 3_600, help: "how long they go on arriving" },
    shape: { kind: "text", value: "burst|flat", default: "burst", help: "burst: half of them arrive in the first tenth of the time" },
    objectRate: { kind: "count", default: 1_000, max: 1_000_000, help: "requests a second that an object gets; Cloudflare's soft limit" },
    flush: { kind: "count", default: limits.FLUSH_MS_INITIAL, max: 10_000, min: 0, help: "milliseconds that the object's disk takes" },
    isolates: { kind: "count", default: 100, max: 100_000, min: 0, help: "isolates that serve the users; 0: no certificates" },
    record: { kind: "text", value: "FILE", default: REFERENCE, help: "the benchmark's record with the costs" },
    chart: { kind: "text", value: "FILE", help: "writes an SVG picture there" },
    json: { kind: "text", value: "FILE", help: "writes the forecast there" },
  },
} as const satisfies Command<Options>;

/** How long a user keeps the flow of thought while waiting (source: Nielsen, "Usability Engineering"). */
const PATIENCE_MS = 1_000;

await runCommand(COMMAND, async ({ options }) => {
  const { users, stock, seconds, objectRate, isolates, flush: flushMs } = options;
  const costs = await costsIn(options.record);
  const sale: Sale = {
    users,
    stock,
    seconds,
    shape: options.shape === "flat" ? "flat" : "burst",
    isolates,
    requestUs: Math.max(costs.objectUs, 1e6 / objectRate),
    batchSizeMax: limits.BATCH_SIZE_MAX,
    mailboxLengthMax: limits.MAILBOX_LENGTH_MAX,
    flushMs,
    batchWaitMs: Math.min(Math.max(flushMs * limits.BATCH_WAIT_PER_FLUSH, limits.BATCH_WAIT_MS_MIN), limits.BATCH_WAIT_MS_MAX),
    renewalMs: (limits.CERTIFICATE_MS_MAX * (limits.CERTIFICATE_RENEWAL_MIN + limits.CERTIFICATE_RENEWAL_MAX)) / 2,
    leaseMs: leaseEnd(0, limits.CERTIFICATE_MS_MAX),
  };
  const result = forecast(sale);
  const price = priceOf({
    workerRequests: users + result.turnedAway,
    workerUs: costs.claimUs,
    objectRequests: result.objectRequests,
    seconds: result.endedAtMs / 1000,
    claims: result.granted,
  });
  console.log(report(sale, result, price));
  console.log(
    `\ncosts measured ${costs.source}: ${costs.objectUs.toFixed(0)} µs of the object a claim; ${count(objectRate)} requests/s an object`,
  );
  if (options.chart !== undefined)
    await writeText(options.chart, chart(result, `${count(users)} users, ${count(stock)} units, ${seconds} s`));
  if (options.json !== undefined) await writeResults(options.json, { sale, costs, price, ...result });
  return EXIT.ok;
});

function report(sale: Sale, result: Forecast, price: Readonly<Record<string, number>>): string {
  const total = Object.values(price).reduce((sum, dollars) => sum + dollars, 0);
  const rows = {
    granted: `${count(result.granted)} of ${count(sale.stock)}`,
    "sold out after": result.soldOutAtMs === null ? "never" : `${(result.soldOutAtMs / 1000).toFixed(2)} s`,
    "last answer after": `${(result.endedAtMs / 1000).toFixed(2)} s`,
    "winners wait": waits(result.winners),
    "others wait": waits(result.others),
    "most waiting at once": `${count(result.waitingMax)} (a mailbox takes ${count(sale.mailboxLengthMax)})`,
    "asked to come back (503)": count(result.turnedAway),
    "requests to the object": `${count(result.objectRequests)}, ${count(result.certificateRequests)} of them for certificates`,
    "refused at the edge": count(result.refusedAtEdge),
    "a restock is answered within": `${count(changeMsMax(sale))} ms`,
    "cost beyond the plan's allowances": `$${total.toFixed(2)}`,
    ...Object.fromEntries(Object.entries(price).map(([what, dollars]) => [`  ${what}`, `$${dollars.toFixed(4)}`])),
  };
  return [`${verdict(result)}\n`, ...Object.entries(rows).map(([label, value]) => `${label.padEnd(36)}${value}`)].join("\n");
}

function verdict({ winners, others, turnedAway }: Forecast): string {
  if (turnedAway > 0) return `One object is not enough: ${count(turnedAway)} times a user is asked to come back in a second.`;
  const slowest = Math.max(winners.p99Ms, others.p99Ms);
  if (slowest > PATIENCE_MS) return `One object is enough, but users wait: up to ${(slowest / 1000).toFixed(1)} s for 99 in 100.`;
  return `One object is enough: 99 in 100 have their answer within ${count(slowest)} ms.`;
}

function waits({ p50Ms, p99Ms, maxMs }: Waits): string {
  return `p50 ${count(p50Ms)} ms, p99 ${count(p99Ms)} ms, at most ${count(maxMs)} ms`;
}
