// Metrics in the Prometheus text format, version 0.0.4. Names use base units, and `_total` for counters.

import { remaining, type Instant } from "../domain/coupon.ts";
import type { SinkLag } from "../domain/delivery.ts";
import { METRICS_COUPONS_MAX } from "../domain/service-limits.ts";
import { LATENCY_BUCKETS_MS, type ServiceCounts } from "../domain/request-counts.ts";
import type { CouponView } from "../domain/rpc.ts";
import { BATCH_SIZE_BUCKETS, outcomeCounts, type ClaimCounts } from "../domain/claim-counts.ts";
import type { FailingSink } from "../read-model/failing-sinks.ts";
import type { ListedCoupon } from "../read-model/queries.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = { readonly suffix?: string; readonly labels?: Labels; readonly value: number };

/** What the metrics say of a coupon. */
type Measured = Pick<CouponView, "name" | "amount" | "claimed" | "held" | "state" | "seq">;

/** Returns the metrics of one coupon as text. `sinks` is null if its courier does not answer. */
export function prometheusText(coupon: CouponView, counts: ClaimCounts, sinks: readonly SinkLag[] | null, now: Instant): string {
  const labels = { coupon: coupon.name };
  // Each outcome is there from the start, because `rate()` does not see the first sample of a series.
  const claims = Object.entries(outcomeCounts(counts)).map(([outcome, value]) => ({ labels: { ...labels, outcome }, value }));
  const sizes = histogram(labels, BATCH_SIZE_BUCKETS, counts.batches, counts.batched);
  return [
    family("doorbuster_claims_total", "counter", "Claims by how they ended.", claims),
    family("doorbuster_claim_batch_size", "histogram", "Claims judged in one transaction.", sizes),
    ...couponFamilies([coupon]),
    ...(sinks === null ? [] : deliveryFamilies(coupon.name, sinks, now)),
  ].join("");
}

function deliveryFamilies(coupon: string, sinks: readonly SinkLag[], now: Instant): string[] {
  const ofEach = (valueOf: (sink: SinkLag) => number): Sample[] =>
    sinks.map((sink) => ({ labels: { coupon, sink: sink.id, status: sink.status }, value: valueOf(sink) }));
  const events = ofEach(({ lagEvents }) => lagEvents);
  const seconds = ofEach(({ oldestAt }) => (oldestAt === null ? 0 : Math.max(now - oldestAt, 0) / 1000));
  const failed = ofEach(({ attemptCount }) => attemptCount);
  return [
    family("doorbuster_delivery_lag_events", "gauge", "Events that a sink does not have.", events),
    family("doorbuster_delivery_lag_seconds", "gauge", "Age of the oldest event that a sink does not have.", seconds),
    family("doorbuster_delivery_failed_attempts", "gauge", "Failed attempts since the last success.", failed),
  ];
}

function couponFamilies(coupons: readonly Measured[]): string[] {
  const units = coupons.flatMap((coupon) => {
    const byState = Object.entries({ claimed: coupon.claimed, held: coupon.held, remaining: remaining(coupon) });
    return byState.map(([state, value]) => ({ labels: { coupon: coupon.name, state }, value }));
  });
  const ofEach = (valueOf: (coupon: Measured) => number): Sample[] =>
    coupons.map((coupon) => ({ labels: { coupon: coupon.name }, value: valueOf(coupon) }));
  return [
    family("doorbuster_coupon_units", "gauge", "Units of the coupon by what became of them.", units),
    family(
      "doorbuster_coupon_amount",
      "gauge",
      "Units ever put on offer.",
      ofEach(({ amount }) => amount),
    ),
    family(
      "doorbuster_coupon_open",
      "gauge",
      "1 while the sale is open.",
      ofEach(({ state }) => (state === "open" ? 1 : 0)),
    ),
    family(
      "doorbuster_ledger_events_total",
      "counter",
      "What happened to the coupon.",
      ofEach(({ seq }) => seq),
    ),
  ];
}

/** The parts of the service's metrics. A part is null if it failed, and absent if it is not bound. */
export type ServiceParts = {
  readonly database?: {
    readonly coupons: readonly ListedCoupon[];
    readonly asOf: Instant | null;
    readonly failing: readonly FailingSink[];
  } | null;
  readonly meter?: ServiceCounts | null;
};

/** Returns the metrics of all coupons and of the service as text. */
export function serviceText({ database, meter }: ServiceParts): string {
  const parts = Object.entries({ database, meter }).filter(([, part]) => part !== undefined);
  const up = parts.map(([part, found]) => ({ labels: { part }, value: found === null ? 0 : 1 }));
  return [
    family("doorbuster_up", "gauge", "1 if the part answered this scrape.", up),
    ...(database == null ? [] : databaseFamilies(database)),
    ...(meter == null ? [] : requestFamilies(meter)),
  ].join("");
}

function databaseFamilies({ coupons: found, asOf, failing }: NonNullable<ServiceParts["database"]>): string[] {
  const coupons = found.slice(0, METRICS_COUPONS_MAX);
  const granted = coupons.map(({ name, lastPosition }) => ({ labels: { coupon: name, outcome: "granted" }, value: lastPosition }));
  const failed = failing.map(({ coupon, sink, status, attemptCount }) => ({ labels: { coupon, sink, status }, value: attemptCount }));
  const isCutOff = found.length > coupons.length;
  return [
    family("doorbuster_claims_total", "counter", "Claims by how they ended.", granted),
    ...couponFamilies(coupons),
    family("doorbuster_coupons_cut_off", "gauge", "1 if some coupons are not in these metrics.", [{ value: isCutOff ? 1 : 0 }]),
    family(
      "doorbuster_read_model_as_of_seconds",
      "gauge",
      "When the newest event reached the database.",
      asOf === null ? [] : [{ value: asOf / 1000 }],
    ),
    family("doorbuster_delivery_failed_attempts", "gauge", "Failed attempts since the last success, of sinks that fail.", failed),
  ];
}

function requestFamilies({ counts, viewers }: ServiceCounts): string[] {
  const seconds = LATENCY_BUCKETS_MS.map((ms) => ms / 1000);
  const requests: Sample[] = [];
  const latencies: Sample[] = [];
  for (const [key, { statuses, buckets, ms }] of Object.entries(counts)) {
    const [method = "", route = ""] = key.split(" ");
    for (const [status, value] of Object.entries(statuses)) requests.push({ labels: { method, route, status }, value });
    latencies.push(...histogram({ method, route }, seconds, buckets, ms / 1000));
  }
  return [
    family("doorbuster_requests_total", "counter", "Requests by route and status.", requests),
    family("doorbuster_request_duration_seconds", "histogram", "Time until the answer began.", latencies),
    family("doorbuster_viewers", "gauge", "Open streams of events.", [{ value: viewers }]),
  ];
}

/** Returns the samples of a histogram. `counts` has one more bucket than `bounds`, and is not cumulative. */
function histogram(labels: Labels, bounds: readonly number[], counts: readonly number[], sum: number): Sample[] {
  let count = 0;
  const buckets = counts.map((inBucket, index) => {
    count += inBucket;
    return { suffix: "_bucket", labels: { ...labels, le: String(bounds[index] ?? "+Inf") }, value: count };
  });
  return [...buckets, { suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: count }];
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ suffix = "", labels = {}, value }) => `${name}${suffix}{${labelText(labels)}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`)
    .join(",");
}
