// `npm run plan`: whether one object will do for a sale, what people will wait, and what it costs.

import { EXIT, runCommand, type Command, type Options } from "../../verification/cli/command.ts";
import { writeResults, writeText } from "../../verification/cli/results.ts";
import { leaseEnd } from "../../src/domain/certificate.ts";
import * as limits from "../../src/domain/limits.ts";
import { chart } from "./chart.ts";
import { costsIn, REFERENCE } from "./costs.ts";
import { priceOf } from "./price.ts";
import { changeMsMax, forecast, type Forecast, type Sale, type Waits } from "./queue.ts";

const COMMAND = {
  name: "npm run plan",
  about: `Plays a sale in front of one coupon's object and answers: will one object do, what will people wait, what does it cost?
It is a simulation, from the costs that the benchmark measured and from what Cloudflare publishes about an object: its
figures are as good as those. Waits are without the network's.`,
  options: {
    users: { kind: "count", default: 100_000, max: 100_000_000, help: "how many ask, once each" },
    stock: { kind: "count", default: 1_000, max: 2_147_483_647, help: "units" },
    seconds: { kind: "count", default: 10, max: 3_600, help: "how long they go on arriving" },
    shape: { kind: "text", value: "burst|flat", default: "burst", help: "burst: half of them in the first tenth of the time" },
    objectRate: { kind: "count", default: 1_000, max: 1_000_000, help: "requests a second that an object gets; Cloudflare's soft limit" },
    flush: { kind: "count", default: limits.FLUSH_MS_INITIAL, max: 10_000, min: 0, help: "milliseconds that the object's disk takes" },
    isolates: { kind: "count", default: 100, max: 100_000, min: 0, help: "isolates that the users are spread over; 0: no certificates" },
    lanes: { kind: "count", default: 0, max: 10_000, min: 0, help: "objects in front that hand claims on in bulk; the product has none" },
    record: { kind: "text", value: "FILE", default: REFERENCE, help: "the benchmark's record with the costs" },
    chart: { kind: "text", value: "FILE", help: "writes an SVG picture there" },
    json: { kind: "text", value: "FILE", help: "writes the forecast there" },
  },
} as const satisfies Command<Options>;

/** How long a lane would collect. */
const LANE_MS = 20;
/** What a person at a button takes for an answer (source: Nielsen, "Usability Engineering": a second keeps the flow of thought). */
const PATIENCE_MS = 1_000;

await runCommand(COMMAND, async ({ options }) => {
  const { users, stock, seconds, objectRate, isolates, lanes, flush: flushMs } = options;
  const shape = options.shape === "flat" ? "flat" : "burst";
  const costs = await costsIn(options.record);
  const sale: Sale = {
    users,
    stock,
    seconds,
    shape,
    isolates,
    lanes,
    objectPerSecond: objectRate,
    batchUs: 0,
    claimUs: costs.objectUs,
    bulkClaimUs: costs.bulkClaimUs,
    batchSizeMax: limits.BATCH_SIZE_MAX,
    mailboxLengthMax: limits.MAILBOX_LENGTH_MAX,
    flushMs,
    batchWaitMs: Math.min(Math.max(flushMs * limits.BATCH_WAIT_PER_FLUSH, limits.BATCH_WAIT_MS_MIN), limits.BATCH_WAIT_MS_MAX),
    renewalMs: (limits.CERTIFICATE_MS_MAX * (limits.CERTIFICATE_RENEWAL_MIN + limits.CERTIFICATE_RENEWAL_MAX)) / 2,
    leaseMs: leaseEnd(0, limits.CERTIFICATE_MS_MAX),
    laneMs: LANE_MS,
  };
  const result = forecast(sale);
  const price = priceOf({
    workerRequests: users + result.turnedAway,
    workerUs: costs.claimUs,
    objectRequests: result.askedOfObject + result.askedOfLanes,
    objects: 1 + lanes,
    seconds: result.endedAtMs / 1000,
    claims: result.granted,
  });
  console.log(report(sale, result, price, costs.source));
  if (options.chart !== undefined)
    await writeText(options.chart, chart(result, `${whole(users)} users, ${whole(stock)} units, ${seconds} s`));
  if (options.json !== undefined) await writeResults(options.json, { sale, costs, price, ...result });
  return EXIT.ok;
});

function report(sale: Sale, result: Forecast, price: Readonly<Record<string, number>>, source: string): string {
  const total = Object.values(price).reduce((sum, dollars) => sum + dollars, 0);
  const rows = [
    ["given out", `${whole(result.granted)} of ${whole(sale.stock)}`],
    ["sold out after", result.soldOutAtMs === null ? "never" : `${(result.soldOutAtMs / 1000).toFixed(2)} s`],
    ["everybody answered after", `${(result.endedAtMs / 1000).toFixed(2)} s`],
    ["winners wait", waits(result.winners)],
    ["others wait", waits(result.others)],
    ["most waiting at once", `${whole(result.waitingMax)} (a mailbox takes ${whole(sale.mailboxLengthMax)})`],
    ["asked to come back (503)", whole(result.turnedAway)],
    ["requests to the coupon's object", `${whole(result.askedOfObject)}, ${whole(result.certificateRequests)} of them for certificates`],
    ...(sale.lanes > 0 ? [["requests to lanes", whole(result.askedOfLanes)]] : []),
    ["refused at the edge", whole(result.refusedAtEdge)],
    ["a restock is answered within", `${whole(changeMsMax(sale))} ms`],
    ["cost beyond the plan's allowances", `$${total.toFixed(2)}`],
    ...Object.entries(price).map(([what, dollars]) => [`  ${what}`, `$${dollars.toFixed(4)}`]),
  ];
  const cost = `costs measured ${source}: ${sale.claimUs.toFixed(0)} µs of the object a claim, ${sale.bulkClaimUs.toFixed(1)} µs in bulk; ${whole(sale.objectPerSecond)} requests/s an object`;
  return [`${verdict(sale, result)}\n`, ...rows.map(([label = "", value = ""]) => `${label.padEnd(36)}${value}`), `\n${cost}`].join("\n");
}

function verdict(sale: Sale, { winners, others, turnedAway }: Forecast): string {
  const objects = sale.lanes === 0 ? "One object" : `One object behind ${sale.lanes} lanes`;
  if (turnedAway > 0) return `${objects} will not do: ${whole(turnedAway)} users are asked to come back in a second.`;
  const slowest = Math.max(winners.p99Ms, others.p99Ms);
  if (slowest > PATIENCE_MS) return `${objects} will do, and people will wait: up to ${(slowest / 1000).toFixed(1)} s for 99 in 100.`;
  return `${objects} will do: 99 in 100 have their answer within ${whole(slowest)} ms.`;
}

function waits({ p50Ms, p99Ms, maxMs }: Waits): string {
  return `p50 ${whole(p50Ms)} ms, p99 ${whole(p99Ms)} ms, at most ${whole(maxMs)} ms`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
