// `npm run plan -- --check`: compares what the calculator predicts of the local server with a real run of it.

import { driverOf } from "../load/load.ts";
import { median } from "../record.ts";
import { labIn, type Lab } from "../systems/system.ts";
import type { Call, Options } from "../../scripts/cli/command.ts";
import { removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";
import type { LaneSetting } from "../../src/domain/lanes.ts";
import { LANES_AUTO_MAX } from "../../src/domain/lane-limits.ts";
import { FLUSH_MS_INITIAL } from "../../src/domain/limits.ts";
import { settingText } from "./advice.ts";
import { costsFrom, type Measured } from "./costs.ts";
import { forecast } from "./forecast.ts";
import { Site, type Wave } from "./measure.ts";
import type { Costs } from "./sale.ts";

const SETTINGS = [0, 4, "auto"] as const satisfies readonly LaneSetting[];
const FIGURES = ["tookMs", "p50Ms", "p99Ms"] as const;
const NAMES = { tookMs: "all answered after", p50Ms: "p50 of the waits", p99Ms: "p99 of the waits" } as const;
/** How far a prediction may be from the measurement. */
const TOLERANCE = 0.25;

type Figures = Pick<Wave, (typeof FIGURES)[number]>;
type Round = { readonly costs: Measured; readonly waves: readonly Wave[] };

/** Measures costs and runs in turn, and prints a table of the medians. Returns whether all predictions are near. */
export async function check({ signal, atEnd }: Pick<Call<Options>, "signal" | "atEnd">, count: number, rounds: number): Promise<boolean> {
  const folder = await scratchFolder("plan");
  atEnd(() => removeScratch(folder));
  const measured = await measureRounds(labIn(folder, await driverOf(), signal, atEnd), count, rounds);
  const medianOf = (of: (round: Round) => number): number => median(measured.map(of));
  const costs = costsFrom({
    edgeUs: medianOf((round) => round.costs.edgeUs),
    directUs: medianOf((round) => round.costs.directUs),
    batchUs: medianOf((round) => round.costs.batchUs),
    laneUs: medianOf((round) => round.costs.laneUs ?? NaN),
    laneStartUs: medianOf((round) => round.costs.laneStartUs ?? NaN),
  });
  const rows = SETTINGS.flatMap((lanes, index) => {
    const of = (figure: keyof Wave): number => medianOf(({ waves }) => waves[index]?.[figure] ?? NaN);
    const predicted = prediction(costs, lanes, count, of("sentMs"));
    return FIGURES.map((figure) => ({ lanes, figure, predictedMs: predicted[figure], measuredMs: of(figure) }));
  });
  const parts = Object.entries(costs).map(([name, us]) => `${name} ${us.toFixed(0)}`);
  console.log(`${count} claims at once, medians of ${rounds} rounds. The costs: ${parts.join(", ")}.\n`);
  console.log(["LANES".padEnd(7), "".padEnd(20), "predicted", " measured", "  ratio"].join(""));
  for (const { lanes, figure, predictedMs, measuredMs } of rows) {
    const times = [predictedMs, measuredMs].map((ms) => `${ms.toFixed(0)} ms`.padStart(9));
    console.log(
      [settingText(lanes).padEnd(7), NAMES[figure].padEnd(20), ...times, (predictedMs / measuredMs).toFixed(2).padStart(7)].join(""),
    );
  }
  const share = medianOf(({ waves }) => median(waves.map(({ tookMs, wallMs }) => tookMs / wallMs)));
  console.log(`\nTimes are those of the server's thread, which had a processor for ${(100 * share).toFixed(0)} % of the runs.`);
  return rows.every(({ predictedMs, measuredMs }) => Math.abs(predictedMs / measuredMs - 1) <= TOLERANCE);
}

/** Runs the calibration with half of the claims, and then the sale in each setting. The first round only warms up. */
async function measureRounds(lab: Lab, count: number, rounds: number): Promise<readonly Round[]> {
  const few = Math.ceil(count / 2);
  const [direct, four, auto] = [
    await Site.start(lab, "off", count),
    await Site.start(lab, "4", count),
    await Site.start(lab, "auto", count),
  ];
  const [oneLane, manyLanes] = [await Site.start(lab, "1", few), await Site.start(lab, String(LANES_AUTO_MAX), few)];
  const measured: Round[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    if (round > 0) lab.log(`round ${round} of ${rounds}`);
    const one = await oneLane.claims(few);
    const many = await manyLanes.claims(few);
    const costs = {
      edgeUs: usOf(await direct.refusals(few)),
      directUs: usOf(await direct.claims(few)),
      laneUs: usOf(one),
      // All lanes of a new coupon start.
      laneStartUs: Math.max(0, (1000 * (many.tookMs - one.tookMs)) / (LANES_AUTO_MAX - 1)),
      batchUs: await direct.bulkClaimUs(),
    };
    const waves = [await direct.claims(count), await four.claims(count), await auto.claims(count)];
    if (round > 0) measured.push({ costs, waves });
  }
  return measured;
}

function usOf({ tookMs, count }: Wave): number {
  return (1000 * tookMs) / count;
}

/**
 * The local server is not Cloudflare: the Worker, the lanes and the coupon share one thread, nothing limits their
 * requests, and there is no network between them. `sentMs` is how long the claims take to arrive.
 */
function prediction(costs: Costs, lanes: LaneSetting, count: number, sentMs: number): Figures {
  const { endedAtMs, winners } = forecast({
    users: count,
    stock: count,
    seconds: sentMs / 1000,
    shape: "flat",
    lanes,
    costs,
    objectRate: Infinity,
    flushMs: FLUSH_MS_INITIAL,
    roundTripMs: 0,
    isolates: 1,
    hasCertificates: true,
    isOneThread: true,
    seed: 1,
  });
  return { tookMs: endedAtMs, p50Ms: winners.p50Ms, p99Ms: winners.p99Ms };
}
