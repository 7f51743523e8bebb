// What a run came to, in numbers that can be added up.

import type { CoverageRow } from "./points.ts";

/** Counts by name. Names with a dot are one of several of a kind: `answered.out_of_stock`. */
export type Counts = Readonly<Record<string, number>>;

/** The counts of some histories, and a number that stands for all that happened in them, whatever their order. */
export type Sum = {
  readonly counts: Counts;
  readonly coverage: readonly CoverageRow[];
  readonly digest: readonly [high: number, low: number];
};

export const NOTHING: Sum = { counts: {}, coverage: [], digest: [0, 0] };

/** Counts while they grow. */
export class Totals {
  counts: Record<string, number> = {};

  add(name: string, count = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + count;
  }
}

/** Both together. */
export function added(a: Sum, b: Sum): Sum {
  const counts: Record<string, number> = { ...a.counts };
  for (const [name, count] of Object.entries(b.counts)) counts[name] = (counts[name] ?? 0) + count;
  return { counts, coverage: addedRows(a.coverage, b.coverage), digest: addedDigests(a.digest, b.digest) };
}

/** Both together; the order makes no difference. */
export function addedDigests(a: Sum["digest"], b: Sum["digest"]): Sum["digest"] {
  return [(a[0] + b[0]) >>> 0, (a[1] + b[1]) >>> 0];
}

function addedRows(a: readonly CoverageRow[], b: readonly CoverageRow[]): CoverageRow[] {
  const rows = new Map(a.map((row) => [`${row.command} ${row.point}`, row]));
  for (const row of b) {
    const name = `${row.command} ${row.point}`;
    const known = rows.get(name);
    const isNew = known === undefined;
    const passed = row.passed + (isNew ? 0 : known.passed);
    rows.set(name, { ...row, passed, thrown: row.thrown + (known?.thrown ?? 0), crashed: row.crashed + (known?.crashed ?? 0) });
  }
  return [...rows.values()];
}
