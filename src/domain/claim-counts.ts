// How often claims ended in which way: the source of the operator's metrics.

import { CLOSED_CODES } from "./claim.ts";

/** How one user's part of a bulk claim ended. */
export const BULK_OUTCOMES = ["granted", "replayed", "already_claimed", "claim_released", ...CLOSED_CODES] as const;
export type BulkOutcome = (typeof BULK_OUTCOMES)[number];

/** How a claim ended: `granted`, `replayed`, or the code of its refusal. */
export type ClaimOutcome = BulkOutcome | "idempotency_key_reused" | "coupon_not_found" | "invalid_request" | "unavailable";

/** Upper bounds of the batch sizes of the histogram, in claims. One more bucket takes larger batches. */
export const BATCH_SIZE_BUCKETS = [1, 4, 16, 64, 256, 1024] as const;

/** Counts since the coupon was created. */
export type ClaimCounts = {
  readonly claims: Partial<Record<ClaimOutcome, number>>;
  /** Batches by size: one count for each of {@link BATCH_SIZE_BUCKETS}, not cumulative, and one for larger ones. */
  readonly batches: readonly number[];
  /** Claims in all batches together. */
  readonly batched: number;
};

export const NO_CLAIM_COUNTS: ClaimCounts = {
  claims: {},
  batches: Array.from({ length: BATCH_SIZE_BUCKETS.length + 1 }, () => 0),
  batched: 0,
};

/** The counts after a batch of claims ended as `outcomes` say. */
export function addBatch(before: ClaimCounts, outcomes: readonly ClaimOutcome[]): ClaimCounts {
  if (outcomes.length === 0) return before;
  const claims = { ...before.claims };
  for (const outcome of outcomes) claims[outcome] = (claims[outcome] ?? 0) + 1;
  // -1, where no bound is large enough, means the last bucket to `with` and `at`.
  const bucket = BATCH_SIZE_BUCKETS.findIndex((sizeMax) => outcomes.length <= sizeMax);
  const batches = before.batches.with(bucket, (before.batches.at(bucket) ?? 0) + 1);
  return { claims, batches, batched: before.batched + outcomes.length };
}

/** The counts after `count` refusals outside of any batch. */
export function addRefusals(before: ClaimCounts, outcome: ClaimOutcome, count: number): ClaimCounts {
  return { ...before, claims: { ...before.claims, [outcome]: (before.claims[outcome] ?? 0) + count } };
}

/** Reads stored counts. Anything else reads as no counts: metrics are not worth stopping a sale for. */
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
