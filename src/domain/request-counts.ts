// Counts of requests: what an isolate reports, and how the service's meter adds it up.

/** Upper bounds of the histogram of latencies, in milliseconds. One more bucket counts slower requests. */
export const LATENCY_BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const;

/** The counts of one route. */
export type RouteCounts = {
  readonly statuses: Record<string, number>;
  /** One count for each of {@link LATENCY_BUCKETS_MS}, and one for slower requests. Not cumulative. */
  readonly buckets: number[];
  /** All latencies together, in milliseconds. */
  ms: number;
};

/** The counts by method and path of the route, such as `GET /health`. */
export type RequestCounts = Record<string, RouteCounts>;

/** What an isolate reports. A report that is sent again has the same `seq` and the same counts. */
export type RequestReport = {
  readonly isolate: string;
  readonly seq: number;
  readonly counts: RequestCounts;
  /** The streams that are open in the isolate now. */
  readonly viewers: number;
};

/** The requests of all isolates, and the open streams of those that have reported recently. */
export type ServiceCounts = { readonly counts: RequestCounts; readonly viewers: number };

/** Returns the counts of a route, from 0 on. */
function routeIn(counts: RequestCounts, route: string): RouteCounts {
  return (counts[route] ??= { statuses: {}, buckets: Array.from({ length: LATENCY_BUCKETS_MS.length + 1 }, () => 0), ms: 0 });
}

/** Counts one request in `counts`. */
export function addRequest(counts: RequestCounts, route: string, status: number, elapsedMs: number): void {
  // A clock can be set back.
  const ms = Math.max(0, elapsedMs);
  const of = routeIn(counts, route);
  of.statuses[status] = (of.statuses[status] ?? 0) + 1;
  const bucket = LATENCY_BUCKETS_MS.findIndex((msMax) => ms <= msMax);
  const index = bucket === -1 ? LATENCY_BUCKETS_MS.length : bucket;
  of.buckets[index] = (of.buckets[index] ?? 0) + 1;
  of.ms += ms;
}

/** Adds `more` to `counts`. */
export function addCounts(counts: RequestCounts, more: RequestCounts): void {
  for (const [route, { statuses, buckets, ms }] of Object.entries(more)) {
    const of = routeIn(counts, route);
    for (const [status, count] of Object.entries(statuses)) of.statuses[status] = (of.statuses[status] ?? 0) + count;
    for (const [index, count] of buckets.entries()) of.buckets[index] = (of.buckets[index] ?? 0) + count;
    of.ms += ms;
  }
}
