// Counts of claims by outcome, and of batches by size. The operator's metrics show them.

import { CLOSED_CODES, type ClosedCode } from "./claim.ts";

/** The outcomes of one user's part of a bulk claim. */
export const BULK_OUTCOMES = ["granted", "replayed", "already_claimed", "claim_released", ...CLOSED_CODES] as const;
export type BulkOutcome = (typeof BULK_OUTCOMES)[number];

/** The refusals of a claim that the Worker makes itself, before it calls the object. */
export const WORKER_REFUSALS = ["invalid_request", "unauthorized", "forbidden", "rate_limited", "challenge_failed", "unavailable"] as const;
export type WorkerRefusal = (typeof WORKER_REFUSALS)[number];

/** The outcomes of claims that a coupon counts: `granted`, `replayed`, or the code of a refusal. */
export const CLAIM_OUTCOMES = [...BULK_OUTCOMES, "idempotency_key_reused", ...WORKER_REFUSALS] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number] | "coupon_not_found";

/** How many claims an isolate has refused without a call of the object, by certificate or by itself. */
export type RefusalCounts = Readonly<Partial<Record<ClosedCode | WorkerRefusal, number>>>;

/** Upper bounds of the histogram of batch sizes, in claims. One more bucket counts larger batches. */
export const BATCH_SIZE_BUCKETS = [1, 4, 16, 64, 256, 1024] as const;

/** Counts since the coupon was created. */
export type ClaimCounts = {
  readonly claims: Partial<Record<ClaimOutcome, number>>;
  /** One count for each of {@link BATCH_SIZE_BUCKETS}, and one for larger batches. Not cumulative. */
  readonly batches: readonly number[];
  /** The number of claims in all batches. */
  readonly batched: number;
};

export const NO_CLAIM_COUNTS: ClaimCounts = {
  claims: {},
  batches: Array.from({ length: BATCH_SIZE_BUCKETS.length + 1 }, () => 0),
  batched: 0,
};

/** Returns the count of each outcome. Each is there from the start, also with 0. */
export function outcomeCounts(counts: ClaimCounts): Record<(typeof CLAIM_OUTCOMES)[number], number>;
export function outcomeCounts({ claims }: ClaimCounts): Record<string, number> {
  return Object.fromEntries(CLAIM_OUTCOMES.map((outcome) => [outcome, claims[outcome] ?? 0]));
}

/** Returns the counts after a batch of claims with these outcomes. */
export function addBatch(before: ClaimCounts, outcomes: readonly ClaimOutcome[]): ClaimCounts {
  if (outcomes.length === 0) return before;
  const claims = { ...before.claims };
  for (const outcome of outcomes) claims[outcome] = (claims[outcome] ?? 0) + 1;
  // For a larger batch the index is -1, which `with` and `at` take as the last bucket.
  const bucket = BATCH_SIZE_BUCKETS.findIndex((sizeMax) => outcomes.length <= sizeMax);
  const batches = before.batches.with(bucket, (before.batches.at(bucket) ?? 0) + 1);
  return { claims, batches, batched: before.batched + outcomes.length };
}

/** Returns the counts after `count` refusals outside of any batch. */
export function addRefusals(before: ClaimCounts, outcome: ClaimOutcome, count: number): ClaimCounts {
  return { ...before, claims: { ...before.claims, [outcome]: (before.claims[outcome] ?? 0) + count } };
}

/** Reads stored counts. Malformed counts read as no counts, because a sale must not stop for its metrics. */
export function claimCountsFrom(json: string): ClaimCounts {
  try {
    const stored: unknown = JSON.parse(json);
    return isCounts(stored) ? stored : NO_CLAIM_COUNTS;
  } catch {
    return NO_CLAIM_COUNTS;
  }
}

function isCounts(value: unknown): value is ClaimCounts {
  if (typeof value !== "object" || value === null || !("claims" in value && "batches" in value && "batched" in value)) return false;
  return Array.isArray(value.batches) && value.batches.length === NO_CLAIM_COUNTS.batches.length && typeof value.batched === "number";
}
