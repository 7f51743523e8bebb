// The findings of a fuzz run, as text and as numbers.

import type { Check } from "../verify/verify.ts";
import type { Counters } from "./counters.ts";
import type { Failure } from "./driver.ts";
import type { Sent } from "./inputs.ts";
import type { RawResult } from "./raw-sockets.ts";
import type { ScenarioFailure } from "./scenarios.ts";

export type Findings = {
  readonly seed: number;
  /** For each server. */
  readonly sent: readonly Sent[];
  readonly counters: Counters;
  /** Null when one input is sent alone. */
  readonly raw: RawResult | null;
  readonly scenarios: { readonly count: number; readonly requests: number; readonly failures: readonly ScenarioFailure[] } | null;
  readonly servers: readonly { readonly url: string; readonly isAlive: boolean; readonly memoryMib: number | null }[];
  /** Null without access to the files. */
  readonly checks: readonly Check[] | null;
};

/**
 * Most memory of a server, in MiB. One process has the Worker and hundreds of objects with their SQLite caches. A leak of 20 KiB a
 * request would exceed it in 50,000 requests.
 */
const MEMORY_MIB_MAX = 1_024;

const FAILURES_SHOWN_MAX = 20;

type Part = { readonly summary: string; readonly failures?: readonly string[]; readonly isPassed: boolean };

/** The report, and whether all parts passed. */
export function linesOf(findings: Findings): { readonly lines: readonly string[]; readonly isPassed: boolean } {
  const { sent, servers, raw, scenarios, checks } = findings;
  const parts: Part[] = sent.map(inputsPart);
  if (raw !== null) {
    const failures = raw.failures.map(({ name, fault }) => `${name}: ${fault}`);
    parts.push({ summary: `${raw.cases} hostile sockets: ${failures.length} failed`, failures, isPassed: failures.length === 0 });
  }
  if (scenarios !== null) {
    const failures = scenarios.failures.map(({ fault, requests }) =>
      [fault, ...requests.map((each) => JSON.stringify(each))].join("\n    "),
    );
    const summary = `${scenarios.count} scenarios of ${scenarios.requests} requests: ${failures.length} failed`;
    parts.push({ summary, failures, isPassed: failures.length === 0 });
  }
  parts.push(...servers.map(serverPart));
  if (checks !== null) {
    const failed = checks.filter(({ verdict }) => verdict === "FAIL").length;
    const coupons = new Set(checks.map(({ coupon }) => coupon)).size;
    parts.push({ summary: `files of ${coupons} coupons: ${failed} of ${checks.length} checks failed`, isPassed: failed === 0 });
  }
  const lines = [
    ...(raw === null ? [] : counterLines(findings.counters)),
    ...parts.flatMap(({ failures = [], summary, isPassed }) => [
      ...failures.slice(0, FAILURES_SHOWN_MAX).map((failure) => `✗ ${failure}`),
      `${isPassed ? "✓" : "✗"} ${summary}`,
    ]),
  ];
  return { lines, isPassed: parts.every(({ isPassed }) => isPassed) };
}

function counterLines(counters: Counters): string[] {
  const { count, unmet } = counters.documented();
  const rows = Object.entries(counters.byOperation()).map(([where, counts]) => {
    const statuses = Object.entries(counts).map(([status, times]) => `${status} × ${times}`);
    return `  ${where.padEnd(34)}${statuses.join(", ")}`;
  });
  const met = `  documented answers below 500: ${count - unmet.length} of ${count} occurred`;
  return [...rows.toSorted(), met, ...unmet.map((each) => `    not: ${each}`), ""];
}

function inputsPart({ isGuarded, inputs, failures, regressions, seconds }: Sent): Part {
  const isPassed = failures.length === 0;
  // The rule of three: no failure in N bounds the rate below 3/N with 95 % confidence.
  const bound = isPassed && inputs > 3 ? ` (rate below 1 in ${Math.floor(inputs / 3)}, 95 %)` : "";
  const where = isGuarded ? "inputs to the server with user tokens" : "inputs";
  return {
    failures: failures.map((failure) => failureText(failure, isGuarded)),
    summary: `${inputs} ${where} in ${seconds.toFixed(0)} s: ${failures.length} failed${bound}; ${regressions} known ones before them`,
    isPassed,
  };
}

function failureText({ fault, request, drawn, isRepeated }: Failure, isGuarded: boolean): string {
  const lines = [fault, JSON.stringify({ request })];
  if (drawn !== null) lines.push(`npm run fuzz -- --seed ${drawn.seed} --path ${drawn.path}${isGuarded ? " --guarded" : ""}`);
  if (!isRepeated) lines.push("it passed when sent again: it depends on the state of the coupons");
  return lines.join("\n    ");
}

function serverPart({ url, isAlive, memoryMib }: Findings["servers"][number]): Part {
  const memory = memoryMib === null ? "" : `, at most ${memoryMib} MiB of memory (bound ${MEMORY_MIB_MAX})`;
  return { summary: `${url} is ${isAlive ? "alive" : "gone"}${memory}`, isPassed: isAlive && (memoryMib ?? 0) <= MEMORY_MIB_MAX };
}

/** The findings for a results file. */
export function numbersOf({ counters, checks, ...rest }: Findings): object {
  const failed = checks?.filter(({ verdict }) => verdict === "FAIL") ?? [];
  const verification = checks === null ? null : { checks: checks.length, failed };
  return { ...rest, byOperation: counters.byOperation(), documented: counters.documented(), verification };
}
