// The costs of a claim, out of a record of the benchmark.

import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { median, type BenchRecord } from "../record.ts";
import type { Costs } from "./sale.ts";

/** The committed record, which the documents quote. */
export const REFERENCE = relative(process.cwd(), join(import.meta.dirname, "../results/reference.json"));

/** When and where they were measured. */
export type Sourced = { readonly costs: Costs; readonly source: string };

/** Reads the costs out of a record of `npm run bench`. */
export async function costsIn(file: string): Promise<Sourced> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new CommandFailure(`there is no record of the benchmark at ${file}: run npm run bench first, or name one with --record`);
  });
  const record = JSON.parse(text) as BenchRecord;
  function cpuOf(name: string): number {
    const measured = record.rows.find((row) => row.name === name)?.measurements.flatMap(({ cpuUs }) => cpuUs ?? []) ?? [];
    if (measured.length === 0) throw new CommandFailure(`${file} has no CPU time of the row "${name}", which the plan needs`);
    return median(measured);
  }
  const costs = costsFrom({ edgeUs: cpuOf("static"), directUs: cpuOf("claim"), batchUs: cpuOf("bulk") });
  return { costs, source: `${record.at}, ${record.machine["processor"] ?? "an unknown machine"}` };
}

/** Measured times, each of one claim in microseconds. */
export type Measured = {
  /** A request that needs no object. */
  readonly edgeUs: number;
  /** A claim that goes to the coupon directly. */
  readonly directUs: number;
  /** A claim in a call with a thousand of them. */
  readonly batchUs: number;
  /** A claim through a lane. Without it, a claim costs a lane as much as a call costs the coupon. */
  readonly laneUs?: number;
  /** The start of a lane. */
  readonly laneStartUs?: number;
};

/** Returns the parts that the measured times are made of. */
export function costsFrom({ edgeUs, directUs, batchUs, laneUs, laneStartUs = 0 }: Measured): Costs {
  const callUs = Math.max(directUs - edgeUs - batchUs, 1);
  const ofLane = laneUs === undefined ? callUs : Math.max(laneUs - edgeUs - batchUs, 1);
  return { workerUs: edgeUs, callUs, claimUs: batchUs, laneUs: ofLane, laneStartUs };
}
