// What the benchmark measured, as the plan needs it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { median, type BenchRecord } from "../record.ts";
import { CommandFailure } from "../../verification/cli/command.ts";

/** The record that is committed: the one that the documents quote. */
export const REFERENCE = join(import.meta.dirname, "../../bench/results/reference.json");

/** CPU times in microseconds. */
export type Costs = {
  /** A claim, all of it: the Worker, the call, the object. */
  readonly claimUs: number;
  /** Of it, what a request that is answered without an object does not have: a bound for what the object's thread does. */
  readonly objectUs: number;
  /** A claim among a thousand in one request. */
  readonly bulkClaimUs: number;
  /** Where they come from, for the report. */
  readonly source: string;
};

/** Reads the costs out of a record of `npm run bench`. */
export async function costsIn(file: string): Promise<Costs> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new CommandFailure(`there is no record of the benchmark at ${file}: run npm run bench first, or name one with --record`);
  });
  const record = JSON.parse(text) as BenchRecord;
  const [claimUs, floorUs, bulkClaimUs] = ["claim", "static", "bulk"].map((row) => cpuOf(record, row, file));
  if (claimUs === undefined || floorUs === undefined || bulkClaimUs === undefined) throw new CommandFailure(`${file} is no record`);
  const machine = String(record.machine["cpu"] ?? record.machine["processor"] ?? "an unknown machine");
  return { claimUs, objectUs: Math.max(claimUs - floorUs, 1), bulkClaimUs, source: `${record.at}, ${machine}` };
}

function cpuOf(record: BenchRecord, name: string, file: string): number {
  const measured = record.rows.find((row) => row.name === name)?.measurements.flatMap(({ cpuUs }) => cpuUs ?? []) ?? [];
  if (measured.length === 0) throw new CommandFailure(`${file} has no CPU time of the row "${name}", which the plan needs`);
  return median(measured);
}
