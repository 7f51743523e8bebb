// The record of a benchmark run: every measurement, the machine and the versions.

/** One row, loaded once. */
export type Measurement = {
  readonly round: number;
  readonly connections: number;
  readonly answers: number;
  readonly seconds: number;
  /** Claims, refusals or reads a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** CPU time of all processes of the system for each unit, in microseconds. Null where it is unknown. */
  readonly cpuUs: number | null;
  /** Claims that were stored meanwhile. Null where they are not counted. */
  readonly stored: number | null;
  /**
   * The share of all processors' time that the hypervisor gave to other machines. Null where it is unknown.
   */
  readonly stolen: number | null;
};

/** A bound on this machine, the product, or another way to build it. */
export type RowKind = "bound" | "product" | "peer";
export type RowRecord = {
  readonly name: string;
  readonly kind: RowKind;
  readonly about: string;
  /** How many units one answer stands for. Rates and CPU times are of one unit. */
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
  /** How much the server's memory grew at its peak. */
  readonly grewBytes: number | null;
};
export type ManyCouponsRecord = {
  readonly coupons: number;
  /** How many of them were just read, the ones made last. Default: all. */
  readonly asked?: number;
  /** How long these reads took. Null where all coupons are idle. */
  readonly askedWithinMs: number | null;
  readonly openFiles: number | null;
  readonly memoryBytes: number | null;
};

/** Claims a second with and without delivery, and the time from the first claim until the read model had all. */
export type DeliveryRecord = {
  readonly claims: number;
  readonly perSecond: { readonly with: readonly number[]; readonly without: readonly number[] };
  readonly completeMs: readonly number[];
};

/** What a claim costs the process of the coupon's object, by one way, in each round. */
export type ObjectCostRecord = {
  readonly name: string;
  /** How many users claimed at once. */
  readonly users: number;
  /** The mean number of claims in a call of the object. */
  readonly claimsPerCall: readonly number[];
  readonly cpuUs: readonly number[];
  /** The same with an object that only answers: what receiving the call costs. */
  readonly crossingCpuUs: readonly number[];
};
/** The median time of a claim over so many connections, in each round. */
export type LaneLatencyRecord = {
  readonly connections: number;
  readonly direct: readonly number[];
  readonly throughLanes: readonly number[];
};

export type GrowthRecord = {
  readonly sizes?: readonly SizeRecord[];
  readonly coldStart?: readonly ColdStartRecord[];
  readonly largeRead?: LargeReadRecord;
  readonly manyCoupons?: readonly ManyCouponsRecord[];
  readonly delivery?: DeliveryRecord;
  readonly objectCost?: readonly ObjectCostRecord[];
  readonly laneLatency?: readonly LaneLatencyRecord[];
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
    /** How long a connection paused before each request. Default: 0. */
    readonly pauseMs?: number;
    readonly driver: string;
  };
  readonly rows: readonly RowRecord[];
  readonly growth: GrowthRecord;
  /** What could not be measured, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
};

/** The middle value, or the mean of the middle two. NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}
