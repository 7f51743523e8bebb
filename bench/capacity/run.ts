// `npm run plan`: how many lanes a sale needs, how long its users wait, and what it costs.

import * as limits from "../../src/domain/limits.ts";
import { LANES_MAX } from "../../src/domain/lane-limits.ts";
import type { LaneSetting } from "../../src/domain/lanes.ts";
import { EXIT, runCommand, usage, type Command, type Options } from "../../scripts/cli/command.ts";
import { writeResults, writeText } from "../../scripts/cli/results.ts";
import { count } from "../report/format.ts";
import { adviceOn, SETTINGS, settingText } from "./advice.ts";
import { chart } from "./chart.ts";
import { check } from "./check.ts";
import { costsIn, REFERENCE } from "./costs.ts";
import { forecast } from "./forecast.ts";
import { priceOfSale, report } from "./report.ts";
import { SHAPES, type Sale, type Shape } from "./sale.ts";

const SHAPE_NAMES = Object.keys(SHAPES).filter(isShape);

const COMMAND = {
  name: "npm run plan",
  about: `Simulates a sale of one coupon with different settings of LANES: which one will do, how long do users wait, what does it cost?
The simulation uses the rules of lanes and certificates, the costs that the benchmark measured, and Cloudflare's published
limits of an object. Its figures are as good as those. Waits are without the network between users and the Worker.

Users arrive in one of these shapes:

${SHAPE_NAMES.map((name) => `  ${name.padEnd(8)}${SHAPES[name].about}`).join("\n")}`,
  options: {
    users: { kind: "count", default: 100_000, max: 10_000_000, help: "how many users claim, once each" },
    stock: { kind: "count", default: 1_000, max: limits.AMOUNT_MAX, help: "units" },
    seconds: { kind: "count", default: 10, max: 3_600, help: "how long they go on arriving" },
    shape: { kind: "text", value: SHAPE_NAMES.join("|"), default: "burst", help: "how they arrive" },
    lanes: {
      kind: "text",
      value: "A,B",
      default: SETTINGS.map(settingText).join(","),
      help: "settings of LANES to try, the cheapest first",
    },
    objectRate: { kind: "count", default: 1_000, max: 1_000_000, help: "requests a second that an object gets; Cloudflare's soft limit" },
    flush: { kind: "count", default: limits.FLUSH_MS_INITIAL, max: 10_000, min: 0, help: "milliseconds that the object's disk takes" },
    roundTrip: { kind: "count", default: 5, max: 10_000, min: 0, help: "milliseconds from the Worker or a lane to an object and back" },
    isolates: { kind: "count", default: 100, max: 100_000, help: "isolates that serve the users" },
    noCertificates: { kind: "flag", help: "isolates refuse no claim, as with SOLD_OUT_CACHE=off" },
    seed: { kind: "count", default: 1, max: 2_147_483_647, help: "chooses isolates and random waits" },
    record: { kind: "text", value: "FILE", default: REFERENCE, help: "the benchmark's record with the costs" },
    chart: { kind: "text", value: "FILE", help: "writes an SVG picture there: the best setting, and the sale without lanes" },
    json: { kind: "text", value: "FILE", help: "writes the forecasts there" },
    check: {
      kind: "flag",
      help: "compares a prediction with a run of the local server instead; ends with 1 if it is wrong by more than 25 %",
    },
    claims: { kind: "count", default: 4_000, min: 100, max: 10_000, help: "with --check: how many claims come at once" },
    rounds: { kind: "count", default: 5, max: 100, help: "with --check: how often costs and runs are measured" },
  },
} as const satisfies Command<Options>;

await runCommand(COMMAND, async (call) => {
  const { options } = call;
  if (options.check) return (await check(call, options.claims, options.rounds)) ? EXIT.ok : EXIT.failed;
  const { users, stock, seconds, objectRate, isolates, seed } = options;
  if (!isShape(options.shape)) throw usage(COMMAND, `--shape takes ${SHAPE_NAMES.join(", ")}, not "${options.shape}"`);
  const { costs, source } = await costsIn(options.record);
  const sale: Sale = {
    users,
    stock,
    seconds,
    shape: options.shape,
    lanes: 0,
    costs,
    objectRate,
    isolates,
    seed,
    flushMs: options.flush,
    roundTripMs: options.roundTrip,
    hasCertificates: !options.noCertificates,
    isOneThread: false,
  };
  const trials = options.lanes
    .split(",")
    .map(laneSetting)
    .map((lanes) => ({ lanes, result: forecast({ ...sale, lanes }) }));
  console.log(report(sale, trials));
  console.log(`\n${count(objectRate)} requests a second an object; costs measured ${source}`);
  const { best } = adviceOn(trials);
  const shown = best.lanes === 0 ? [best] : [best, ...trials.filter(({ lanes }) => lanes === 0)];
  const title = `${count(users)} users (${options.shape}), ${count(stock)} units, ${seconds} s`;
  if (options.chart !== undefined) await writeText(options.chart, chart(title, shown));
  if (options.json !== undefined) {
    const priced = trials.map(({ lanes, result }) => ({ lanes, result, price: priceOfSale(sale, result) }));
    await writeResults(options.json, { sale, trials: priced });
  }
  return EXIT.ok;
});

function isShape(name: string): name is Shape {
  return Object.hasOwn(SHAPES, name);
}

function laneSetting(text: string): LaneSetting {
  if (text === "auto") return text;
  const lanes = text === "off" ? 0 : Number(text);
  if (text === "off" || (Number.isInteger(lanes) && lanes >= 1 && lanes <= LANES_MAX)) return lanes;
  throw usage(COMMAND, `--lanes takes auto, off, and whole numbers from 1 to ${LANES_MAX}, not "${text}"`);
}
