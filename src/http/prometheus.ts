// Metrics in the Prometheus text format, version 0.0.4. Names use base units, and `_total` for counters.

import { remaining } from "../domain/coupon.ts";
import type { CouponView } from "../domain/rpc.ts";
import { BATCH_SIZE_BUCKETS, CLAIM_OUTCOMES, type ClaimCounts } from "../domain/claim-counts.ts";

type Sample = { readonly suffix?: string; readonly labels?: Readonly<Record<string, string>>; readonly value: number };

/** Returns the metrics of one coupon as text. */
export function prometheusText(coupon: CouponView, counts: ClaimCounts): string {
  // Each outcome is there from the start, because `rate()` does not see the first sample of a series.
  const claims = CLAIM_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: counts.claims[outcome] ?? 0 }));
  const units = Object.entries({ claimed: coupon.claimed, held: coupon.held, remaining: remaining(coupon) });
  const byState = units.map(([state, value]) => ({ labels: { state }, value }));
  return [
    family(coupon.name, "doorbuster_claims_total", "counter", "Claims by how they ended.", claims),
    family(coupon.name, "doorbuster_claim_batch_size", "histogram", "Claims judged in one transaction.", batchSizes(counts)),
    family(coupon.name, "doorbuster_coupon_units", "gauge", "Units of the coupon by what became of them.", byState),
    family(coupon.name, "doorbuster_coupon_amount", "gauge", "Units ever put on offer.", [{ value: coupon.amount }]),
    family(coupon.name, "doorbuster_coupon_open", "gauge", "1 while the sale is open.", [{ value: coupon.state === "open" ? 1 : 0 }]),
    family(coupon.name, "doorbuster_ledger_events_total", "counter", "What happened to the coupon.", [{ value: coupon.seq }]),
  ].join("");
}

function batchSizes({ batches, batched }: ClaimCounts): Sample[] {
  let count = 0;
  const buckets = batches.map((inBucket, index) => {
    count += inBucket;
    return { suffix: "_bucket", labels: { le: String(BATCH_SIZE_BUCKETS[index] ?? "+Inf") }, value: count };
  });
  return [...buckets, { suffix: "_sum", value: batched }, { suffix: "_count", value: count }];
}

function family(coupon: string, name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ suffix = "", labels = {}, value }) => `${name}${suffix}{${labelText({ coupon, ...labels })}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`)
    .join(",");
}
