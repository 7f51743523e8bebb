// The costs of a claim, out of a record of the benchmark.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { median, type BenchRecord } from "../record.ts";

/** The committed record, which the documents quote. */
export const REFERENCE = join(import.meta.dirname, "../results/reference.json");

/** CPU times in microseconds. */
export type Costs = {
  /** A claim as a whole: the Worker, the call, the object. */
  readonly claimUs: number;
  /** An upper bound for the object's part: a claim less a request that needs no object. */
  readonly objectUs: number;
  /** When and where they were measured. */
  readonly source: string;
};

/** Reads the costs out of a record of `npm run bench`. */
export async function costsIn(file: string): Promise<Costs> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new CommandFailure(`there is no record of the benchmark at ${file}: run npm run bench first, or name one with --record`);
  });
  const record = JSON.parse(text) as BenchRecord;
  function cpuOf(name: string): number {
    const measured = record.rows.find((row) => row.name === name)?.measurements.flatMap(({ cpuUs }) => cpuUs ?? []) ?? [];
    if (measured.length === 0) throw new CommandFailure(`${file} has no CPU time of the row "${name}", which the plan needs`);
    return median(measured);
  }
  const claimUs = cpuOf("claim");
  const source = `${record.at}, ${record.machine["processor"] ?? "an unknown machine"}`;
  return { claimUs, objectUs: Math.max(claimUs - cpuOf("static"), 1), source };
}
