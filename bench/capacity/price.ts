// What a sale costs on Cloudflare's paid plan, beyond what the plan includes.

/**
 * Dollars for a million (source: Cloudflare's pricing pages of Workers and of Durable Objects, read in
 * November 2026). Included allowances are left out, so a bill is lower than this. Check the prices before you
 * rely on a figure.
 */
const PRICES = { workerRequest: 0.3, workerCpuMs: 0.02, objectRequest: 0.15, objectGbSecond: 12.5, rowWritten: 1 } as const;

/** An object is billed as 128 MB, whatever it uses. */
const OBJECT_GB = 0.128;
/** A claim's row and its event. A batch shares the counters' row. */
const ROWS_PER_CLAIM = 2;

export type Usage = {
  readonly workerRequests: number;
  /** The Worker's CPU time for each of them, in microseconds. */
  readonly workerUs: number;
  /** Calls of the coupon and of its lanes. */
  readonly objectRequests: number;
  /** The coupon and its lanes, and how long they are in memory. */
  readonly objects: number;
  readonly seconds: number;
  readonly claims: number;
};

/** Dollars, by what they are for. */
export function priceOf({ workerRequests, workerUs, objectRequests, objects, seconds, claims }: Usage): Readonly<Record<string, number>> {
  const millions = {
    "requests to the Worker": workerRequests * PRICES.workerRequest,
    "CPU of the Worker": ((workerRequests * workerUs) / 1e3) * PRICES.workerCpuMs,
    "requests to objects": objectRequests * PRICES.objectRequest,
    "objects in memory": objects * seconds * OBJECT_GB * PRICES.objectGbSecond,
    "rows written": claims * ROWS_PER_CLAIM * PRICES.rowWritten,
  };
  return Object.fromEntries(Object.entries(millions).map(([what, dollars]) => [what, dollars / 1e6]));
}
