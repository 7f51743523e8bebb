// From measurements to the numbers of the report: medians, ranges, and ratios within a round.

import { median, type BenchRecord, type Measurement, type RowRecord } from "../record.ts";

/** The row that the others are compared with. */
export const BASE = "claim";

export type Summary = {
  readonly row: RowRecord;
  readonly perSecond: number;
  readonly perSecondRange: readonly [number, number];
  /** The median of the row's rate divided by {@link BASE}'s of the same round. Null where one is missing. */
  readonly ratio: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number | null;
  readonly cpuUsRange: readonly [number, number] | null;
};

/** The rows that were loaded over so many connections, each summed up over its rounds. */
export function summariesOf({ rows }: Pick<BenchRecord, "rows">, connections: number): Summary[] {
  const of = ({ measurements }: RowRecord): Measurement[] => measurements.filter((measurement) => measurement.connections === connections);
  const base = new Map(
    rows.filter(({ name }) => name === BASE).flatMap((row) => of(row).map(({ round, perSecond }) => [round, perSecond] as const)),
  );
  return rows.flatMap((row) => {
    const measurements = of(row);
    if (measurements.length === 0) return [];
    const rates = measurements.map(({ perSecond }) => perSecond);
    const ratios = measurements.flatMap(({ round, perSecond }) => {
      const rate = base.get(round);
      return rate === undefined ? [] : [perSecond / rate];
    });
    const cpuUs = known(measurements.map((measurement) => measurement.cpuUs));
    return [
      {
        row,
        perSecond: median(rates),
        perSecondRange: rangeOf(rates),
        ratio: ratios.length === 0 ? null : median(ratios),
        p50Ms: median(measurements.map(({ p50Ms }) => p50Ms)),
        p99Ms: median(measurements.map(({ p99Ms }) => p99Ms)),
        cpuUs: cpuUs === null ? null : median(cpuUs),
        cpuUsRange: cpuUs === null ? null : rangeOf(cpuUs),
      },
    ];
  });
}

/** The values, or null where one of them is unknown. */
export function known(values: readonly (number | null)[]): number[] | null {
  const all = values.filter((value) => value !== null);
  return all.length === values.length ? all : null;
}

/** The smallest and the largest. */
export function rangeOf(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
