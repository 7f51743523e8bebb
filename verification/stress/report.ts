// The report of a run, as text, Markdown and data.

import type { Latency } from "./latency.ts";
import type { Measured } from "./modes/mode.ts";
import type { Mode } from "./options.ts";
import type { Threshold } from "./thresholds.ts";
import type { Verification } from "./verification.ts";

export type Report = Omit<Measured, "receipts" | "revoked"> & {
  readonly mode: Mode;
  readonly startedAt: string;
  readonly server: string;
  readonly verification: Pick<Verification, "by"> & { readonly checks: number; readonly failed: Verification["checks"] };
  readonly isPassed: boolean;
};

/** Combines measurements and verification. A failed check is a threshold that is not kept. */
export function reportOf(
  mode: Mode,
  startedAt: string,
  server: string,
  { receipts: _receipts, revoked: _revoked, ...measured }: Measured,
  { by, checks }: Verification,
): Report {
  const failed = checks.filter(({ verdict }) => verdict === "FAIL");
  const passed = checks.filter(({ verdict }) => verdict === "PASS").length;
  const verified: Threshold = {
    what: `checks against ${by}`,
    wanted: "all pass",
    actual: `${passed} passed, ${failed.length} failed`,
    isKept: failed.length === 0 && passed > 0,
  };
  const thresholds = [...measured.thresholds, verified];
  const verification = { by, checks: checks.length, failed };
  return { mode, startedAt, server, ...measured, thresholds, verification, isPassed: thresholds.every(({ isKept }) => isKept) };
}

const NAME_WIDTH = 44;
const SHARES = ["avgMs", "minMs", "p50Ms", "p90Ms", "p95Ms", "p99Ms", "maxMs"] as const satisfies readonly (keyof Latency)[];
const FAULTS_SHOWN_MAX = 10;

export function linesOf(report: Report): string[] {
  const latencies = Object.entries(report.latency).filter((entry): entry is [string, Latency] => entry[1] !== null);
  const { faults, thresholds } = report;
  return [
    `${report.mode}: ${report.setting}`,
    `  server ${report.server}`,
    "",
    ...Object.entries(report.counters).map(([name, count]) => `  ${dotted(name)} ${grouped(count)}`),
    ...latencies.flatMap(([of, latency]) => [
      `  ${dotted(`${of}: requests`)} ${grouped(latency.requests)}, ${grouped(Math.round(latency.requestsPerSecond))}/s`,
      `  ${dotted(`${of}: latency (ms)`)} ${SHARES.map((share) => `${share.slice(0, -2)} ${latency[share].toFixed(1)}`).join("  ")}`,
    ]),
    "",
    ...faults.slice(0, FAULTS_SHOWN_MAX).map(({ what, count }) => `  ${grouped(count)} × ${what}`),
    ...(faults.length > FAULTS_SHOWN_MAX ? [`  and ${faults.length - FAULTS_SHOWN_MAX} more kinds`] : []),
    ...(faults.length > 0 ? [""] : []),
    ...thresholds.map(({ what, wanted, actual, isKept }) => `  ${isKept ? "✓" : "✗"} ${what.padEnd(NAME_WIDTH)} ${actual} (${wanted})`),
  ];
}

/** The thresholds as a Markdown table, for a job's page. */
export function markdownOf(reports: readonly Report[]): string {
  const sections = reports.map(({ mode, setting, thresholds, isPassed }) => [
    `### ${isPassed ? "✓" : "✗"} stress: ${mode}`,
    "",
    setting,
    "",
    "| | threshold | wanted | actual |",
    "| --- | --- | --- | --- |",
    ...thresholds.map(({ what, wanted, actual, isKept }) => `| ${isKept ? "✓" : "✗"} | ${what} | ${wanted} | ${actual} |`),
    "",
  ]);
  return `${sections.flat().join("\n")}\n`;
}

function dotted(name: string): string {
  return `${name} `.padEnd(NAME_WIDTH, ".");
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
