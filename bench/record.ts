// What a run of the benchmark found, as it is kept: every single measurement, and what it was taken with.

/** One row, loaded once. */
export type Measurement = {
  readonly round: number;
  readonly connections: number;
  readonly answers: number;
  readonly seconds: number;
  /** What the answers stand for, a second: claims, refusals or looks. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** CPU time of all processes of the system for each unit, in microseconds; null where it is unknown. */
  readonly cpuUs: number | null;
  /** Claims that were stored meanwhile, where they were counted. */
  readonly stored: number | null;
  /** The share of all processors' time that the hypervisor gave to others meanwhile; null where it is unknown. */
  readonly stolen: number | null;
};

/** What a row is: a bound on what can be had here, the product, or another way to build it. */
export type RowKind = "bound" | "product" | "peer";
export type RowRecord = {
  readonly name: string;
  readonly kind: RowKind;
  readonly about: string;
  /** What one answer stands for; rates and CPU times are of such a unit. */
  readonly unitsPerAnswer: number;
  readonly measurements: readonly Measurement[];
};

/** A claim of a coupon that has so many claims. */
export type SizeRecord = { readonly claims: number; readonly wallUs: readonly number[]; readonly cpuUs: readonly (number | null)[] };
export type ColdStartRecord = { readonly claims: number; readonly firstMs: readonly number[]; readonly nextMs: readonly number[] };
export type LargeReadRecord = {
  readonly claims: number;
  readonly bytes: number;
  readonly ms: readonly number[];
  /** What the server's memory grew by, at its peak. */
  readonly grewBytes: number | null;
};
export type ManyCouponsRecord = {
  readonly coupons: number;
  /** So many of them, those made last, were asked just now; all of them when left out. */
  readonly asked?: number;
  /** How long before the first of those was asked, with the others since; null where none was for so long that all are idle. */
  readonly askedWithinMs: number | null;
  readonly openFiles: number | null;
  readonly memoryBytes: number | null;
};

export type GrowthRecord = {
  readonly sizes?: readonly SizeRecord[];
  readonly coldStart?: readonly ColdStartRecord[];
  readonly largeRead?: LargeReadRecord;
  readonly manyCoupons?: readonly ManyCouponsRecord[];
};

export type BenchRecord = {
  readonly name: string;
  readonly at: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: {
    readonly rounds: number;
    readonly seconds: number;
    readonly connections: readonly number[];
    /** How long a connection rested before each request; not at all when left out. */
    readonly pauseMs?: number;
    readonly driver: string;
  };
  readonly rows: readonly RowRecord[];
  readonly growth: GrowthRecord;
  /** What was asked for and could not be measured, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
};

/** The middle value, or the mean of the middle two; NaN where there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}
