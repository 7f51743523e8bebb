// The findings of a fuzz run, as text and as numbers.

import type { Check } from "../verify/verify.ts";
import type { Counters } from "./counters.ts";
import type { Failure } from "./driver.ts";
import type { Sent } from "./inputs.ts";
import type { RawResult } from "./raw-sockets.ts";
import type { Scenarios } from "./scenarios.ts";

export type Findings = {
  readonly seed: number;
  /** For each server. */
  readonly sent: readonly Sent[];
  readonly counters: Counters;
  /** Null when one input is sent alone. */
  readonly raw: RawResult | null;
  readonly scenarios: Scenarios | null;
  readonly servers: readonly { readonly url: string; readonly isAlive: boolean; readonly memoryMib: number | null }[];
  /** Null without access to the files. */
  readonly checks: readonly Check[] | null;
};

/**
 * Most memory of a server, in MiB. One process has the Worker and hundreds of objects with their SQLite
 * caches. A leak of 20 KiB a request would exceed it in 50,000 requests.
 */
const MEMORY_MIB_MAX = 1_024;

const FAILURES_SHOWN_MAX = 20;

type Part = { readonly summary: string; readonly failures: readonly string[] };

/** The report, and whether all parts passed. */
export function linesOf(findings: Findings): { readonly lines: readonly string[]; readonly isPassed: boolean } {
  const parts = partsOf(findings);
  const lines = findings.raw === null ? [] : counterLines(findings.counters);
  for (const { summary, failures } of parts) {
    for (const failure of failures.slice(0, FAILURES_SHOWN_MAX)) lines.push(`✗ ${failure}`);
    lines.push(`${failures.length === 0 ? "✓" : "✗"} ${summary}: ${failures.length} failed`);
  }
  return { lines, isPassed: parts.every(({ failures }) => failures.length === 0) };
}

function partsOf({ sent, raw, scenarios, servers, checks }: Findings): Part[] {
  const parts = sent.map(inputsPart);
  if (raw !== null) {
    parts.push({ summary: `${raw.cases} hostile sockets`, failures: raw.failures.map(({ name, fault }) => `${name}: ${fault}`) });
  }
  if (scenarios !== null) {
    const failures = scenarios.failures.map(({ fault, requests }) => textOf(fault, ...requests.map((each) => JSON.stringify(each))));
    parts.push({ summary: `${scenarios.count} scenarios of ${scenarios.requests} requests`, failures });
  }
  for (const { url, isAlive, memoryMib } of servers) {
    const failures = [
      ...(isAlive ? [] : ["it is gone"]),
      ...((memoryMib ?? 0) > MEMORY_MIB_MAX ? [`it exceeds ${MEMORY_MIB_MAX} MiB`] : []),
    ];
    parts.push({ summary: `server ${url}, at most ${memoryMib ?? "?"} MiB of memory`, failures });
  }
  if (checks !== null) {
    const failed = checks.filter(({ verdict }) => verdict === "FAIL");
    const failures = failed.map(({ coupon, title, detail }) => `${coupon}: ${title}: ${detail}`);
    parts.push({ summary: `${checks.length} checks of the files`, failures });
  }
  return parts;
}

function counterLines(counters: Counters): string[] {
  const { count, unmet } = counters.documented();
  const rows = Object.entries(counters.byOperation()).map(([where, counts]) => {
    const statuses = Object.entries(counts).map(([status, times]) => `${status} × ${times}`);
    return `  ${where.padEnd(34)}${statuses.join(", ")}`;
  });
  return rows
    .toSorted()
    .concat(`  ${count - unmet.length} of ${count} documented answers below 500 occurred, not: ${unmet.join(", ")}`, "");
}

function inputsPart({ isGuarded, inputs, failures, regressions, seconds }: Sent): Part {
  // The rule of three: no failure in N bounds the rate below 3/N with 95 % confidence.
  const bound = failures.length === 0 && inputs > 3 ? `, rate below 1 in ${Math.floor(inputs / 3)} (95 %)` : "";
  const where = isGuarded ? "inputs to the server with user tokens" : "inputs";
  const summary = `${regressions} known and ${inputs} drawn ${where} in ${seconds.toFixed(0)} s${bound}`;
  return { summary, failures: failures.map((failure) => failureText(failure, isGuarded)) };
}

function failureText({ fault, request, drawn, isRepeated }: Failure, isGuarded: boolean): string {
  const redraw = drawn === null ? [] : [`npm run fuzz -- --seed ${drawn.seed} --path ${drawn.path}${isGuarded ? " --guarded" : ""}`];
  const once = isRepeated ? [] : ["it passed when sent again: it depends on the state of the coupons"];
  return textOf(fault, JSON.stringify({ request }), ...redraw, ...once);
}

function textOf(...lines: readonly string[]): string {
  return lines.join("\n    ");
}

/** The findings for a results file. */
export function numbersOf({ counters, checks, ...rest }: Findings): object {
  const failed = checks?.filter(({ verdict }) => verdict === "FAIL") ?? [];
  const verification = checks === null ? null : { checks: checks.length, failed };
  return { ...rest, byOperation: counters.byOperation(), documented: counters.documented(), verification };
}
