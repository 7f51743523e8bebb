// The part of the report on coupons as they grow.

import type { Bar } from "./chart.ts";
import { count, fixed, megabytes } from "./format.ts";
import { known, rangeOf } from "./summary.ts";
import { table } from "./table.ts";
import { median, type GrowthRecord } from "../record.ts";

/** Makes a chart and returns the Markdown that shows it. */
export type Show = (purpose: string, title: string, bars: readonly Bar[], format: (value: number) => string) => string;

/** The parts of the report on growth, without those that were not measured. */
export function growthParts({ sizes, coldStart, largeRead, manyCoupons, delivery }: GrowthRecord, show: Show): string[] {
  const parts: string[] = [];
  if (sizes !== undefined) parts.push(...sizesParts(sizes, show));
  if (coldStart !== undefined) {
    const lines = coldStart.map(({ claims, firstMs, nextMs }) => [
      count(claims),
      median(firstMs).toFixed(2),
      median(nextMs).toFixed(2),
      median(firstMs.map((first, round) => first - (nextMs[round] ?? NaN))).toFixed(2),
    ]);
    parts.push("### Cold start", table(["claims in the coupon", "first claim ms", "later claims ms", "difference ms"], lines, 0));
  }
  if (largeRead !== undefined) {
    const { claims, bytes, ms, grewBytes } = largeRead;
    const grew = grewBytes === null ? "" : ` The server's memory grew by ${megabytes(grewBytes)} at its peak.`;
    parts.push(
      "### Large read",
      `A coupon with its ${count(claims)} claimants, ${megabytes(bytes)} of JSON, took ${median(ms).toFixed(0)} ms (median of ${ms.length} reads).${grew}`,
    );
  }
  if (manyCoupons !== undefined) {
    const lines = manyCoupons.map(({ coupons, asked = coupons, askedWithinMs, openFiles, memoryBytes }) => [
      count(coupons),
      askedWithinMs === null
        ? "all are idle"
        : `${asked === coupons ? "all" : `the last ${count(asked)}`} asked within ${(askedWithinMs / 1000).toFixed(1)} s`,
      openFiles === null ? "" : count(openFiles),
      memoryBytes === null ? "" : megabytes(memoryBytes),
    ]);
    parts.push("### Many coupons", table(["coupons", "when", "open files", "memory"], lines, 2));
  }
  if (delivery !== undefined) {
    const { claims, perSecond, completeMs } = delivery;
    // The machine's speed drifts between rounds, so the ratio is taken within each.
    const ratio = median(perSecond.with.map((rate, round) => rate / (perSecond.without[round] ?? NaN)));
    parts.push(
      "### Delivery",
      `${count(claims)} claims in bulk: ${count(Math.round(median(perSecond.with)))} a second with delivery, ${ratio.toFixed(2)} of the rate without. The read model had all of them ${(median(completeMs) / 1000).toFixed(1)} s after the first (median of ${completeMs.length}).`,
    );
  }
  return parts;
}

function sizesParts(sizes: NonNullable<GrowthRecord["sizes"]>, show: Show): string[] {
  const first = sizes[0]?.wallUs ?? [];
  const lines = sizes.map(({ claims, wallUs, cpuUs }) => {
    const cpu = known(cpuUs);
    // The machine's speed drifts between rounds, so the ratio is taken within each.
    const ratio = median(wallUs.map((us, round) => us / (first[round] ?? NaN)));
    return [count(claims), fixed(median(wallUs)), ratio.toFixed(2), cpu === null ? "" : fixed(median(cpu))];
  });
  const bars = sizes.map(({ claims, wallUs }) => ({
    label: `${count(claims)} claims`,
    kind: "product" as const,
    value: median(wallUs),
    range: rangeOf(wallUs),
  }));
  return [
    "### Growth",
    table(["claims in the coupon", "µs for each further claim", "of the first row", "CPU µs"], lines, 0),
    show("growth", "µs for each further claim of a coupon with so many", bars, fixed),
  ];
}
