// Bounds that a run must keep, each with the actual value.

import type { Latency } from "./latency.ts";

export type Threshold = {
  readonly what: string;
  readonly wanted: string;
  readonly actual: string;
  readonly isKept: boolean;
  readonly isLatency?: true;
};

/** Half, 95 % and 99 % of the requests must end below these. */
export type LatencyBounds = { readonly p50Ms: number; readonly p95Ms: number; readonly p99Ms: number };

export const CLAIM_BOUNDS: LatencyBounds = { p50Ms: 500, p95Ms: 1000, p99Ms: 2000 };
export const STATUS_BOUNDS: LatencyBounds = { p50Ms: 200, p95Ms: 500, p99Ms: 1000 };

/** A count that must be exactly `wanted`. */
export function exactly(what: string, wanted: number, actual: number): Threshold {
  return { what, wanted: wanted.toLocaleString("en-US"), actual: actual.toLocaleString("en-US"), isKept: actual === wanted };
}

/** Marks bounds of latency as kept, whatever they are. */
export function withoutLatency(thresholds: readonly Threshold[]): Threshold[] {
  return thresholds.map((each) => (each.isLatency === true ? { ...each, wanted: `${each.wanted}, not judged`, isKept: true } : each));
}

/** The latencies of `of`, each below its bound. Without requests none is kept. */
export function within(of: string, bounds: LatencyBounds, latency: Latency | null): Threshold[] {
  return (["p50Ms", "p95Ms", "p99Ms"] as const).map((share) => {
    const actual = latency?.[share] ?? NaN;
    return {
      what: `${of}: ${share.slice(0, 3)}`,
      wanted: `< ${bounds[share]} ms`,
      actual: Number.isNaN(actual) ? "no request" : `${actual.toFixed(1)} ms`,
      isKept: actual < bounds[share],
      isLatency: true,
    };
  });
}
