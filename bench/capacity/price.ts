// What a sale costs on Cloudflare's paid plan, beyond what the plan includes.

/**
 * Dollars for a million (source: Cloudflare's pricing pages of Workers and of Durable Objects, read in November 2026). Included
 * allowances are left out, so a bill is lower than this. Check them before you rely on a figure.
 */
export const PRICES = {
  workerRequest: 0.3,
  workerCpuMs: 0.02,
  objectRequest: 0.15,
  objectGbSecond: 12.5,
  rowWritten: 1,
} as const;

/** An object is billed as 128 MB, whatever it uses. */
const OBJECT_GB = 0.128;
/** A claim's row and its event; the counters' row is shared by a batch. */
const ROWS_PER_CLAIM = 2;

export type Usage = {
  readonly workerRequests: number;
  /** CPU of the Worker for each of them, in microseconds. */
  readonly workerUs: number;
  readonly objectRequests: number;
  readonly objects: number;
  readonly seconds: number;
  readonly claims: number;
};

/** Dollars, by what they are for. */
export function priceOf({ workerRequests, workerUs, objectRequests, objects, seconds, claims }: Usage): Readonly<Record<string, number>> {
  return {
    "requests to the Worker": (workerRequests / 1e6) * PRICES.workerRequest,
    "CPU of the Worker": ((workerRequests * workerUs) / 1e3 / 1e6) * PRICES.workerCpuMs,
    "requests to objects": (objectRequests / 1e6) * PRICES.objectRequest,
    "objects in memory": ((objects * seconds * OBJECT_GB) / 1e6) * PRICES.objectGbSecond,
    "rows written": ((claims * ROWS_PER_CLAIM) / 1e6) * PRICES.rowWritten,
  };
}
