// The part of the report on lanes.

import { count, fixed } from "./format.ts";
import { table } from "./table.ts";
import { median, type GrowthRecord } from "../record.ts";

/** The parts of the report on lanes, without those that were not measured. */
export function laneParts({ objectCost, laneLatency }: GrowthRecord): string[] {
  const parts: string[] = [];
  if (objectCost !== undefined) {
    const direct = objectCost.find(({ name }) => name === "direct")?.cpuUs ?? [];
    const lines = objectCost.map(({ name, users, claimsPerCall, cpuUs, crossingCpuUs }) => [
      `\`${name}\``,
      count(users),
      fixed(median(claimsPerCall)),
      fixed(median(cpuUs)),
      ratioOf(cpuUs, direct),
      fixed(median(crossingCpuUs)),
    ]);
    const head = ["way", "users at once", "claims a call", "object's CPU µs", "of `direct`", "of it the call µs"];
    parts.push(
      "### The coupon's object",
      "CPU of the process that has only the coupon's object, for each claim. The last column is the same with an object that only answers.",
      table(head, lines, 1),
    );
  }
  if (laneLatency !== undefined) {
    const lines = laneLatency.map(({ connections, direct, throughLanes }) => [
      count(connections),
      median(direct).toFixed(2),
      median(throughLanes).toFixed(2),
      ratioOf(throughLanes, direct),
    ]);
    parts.push("### A claim through a lane at low load", table(["connections", "direct p50 ms", "`LANES=4` p50 ms", "ratio"], lines, 0));
  }
  return parts;
}

/** The median of the ratios within each round, as the machine's speed drifts between rounds. */
function ratioOf(values: readonly number[], base: readonly number[]): string {
  return median(values.map((value, round) => value / (base[round] ?? NaN))).toFixed(2);
}
