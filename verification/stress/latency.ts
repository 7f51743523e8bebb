// Latencies in a few numbers.

export type Latency = {
  readonly requests: number;
  /** From the first planned instant to the last end. */
  readonly requestsPerSecond: number;
  readonly avgMs: number;
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

type Timed = { readonly slot: { readonly atMs: number }; readonly latencyMs: number; readonly endedAtMs: number };

/** Failed requests count as well, because a user waited for them. Null without requests. */
export function latencyOf(sent: readonly Timed[]): Latency | null {
  if (sent.length === 0) return null;
  const sorted = sent.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const firstAt = sent.reduce((first, { slot }) => Math.min(first, slot.atMs), Infinity);
  const lastEnd = sent.reduce((last, { endedAtMs }) => Math.max(last, endedAtMs), 0);
  const of = (share: number): number => percentile(sorted, share);
  return {
    requests: sent.length,
    requestsPerSecond: sent.length / (Math.max(lastEnd - firstAt, 0.001) / 1000),
    avgMs: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
    minMs: of(0),
    p50Ms: of(0.5),
    p90Ms: of(0.9),
    p95Ms: of(0.95),
    p99Ms: of(0.99),
    maxMs: of(1),
  };
}

/** The smallest value that at least a share of all does not exceed (nearest rank). NaN without values. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
