// What a fuzz run found, for people and as numbers.

import type { Check } from "../verify/verify.ts";
import type { Sent } from "./inputs.ts";
import type { RawOutcome } from "./raw-sockets.ts";
import { curlOf } from "./request.ts";
import type { StoryFailure } from "./stories.ts";
import type { Tally } from "./tally.ts";
import type { Failure } from "./volley.ts";

export type Findings = {
  readonly seed: number;
  /** For each server. */
  readonly sent: readonly Sent[];
  readonly tally: Tally;
  /** Null where they were not run. */
  readonly raw: RawOutcome | null;
  readonly stories: {
    readonly url: string;
    readonly count: number;
    readonly requests: number;
    readonly failures: readonly StoryFailure[];
  } | null;
  readonly servers: readonly {
    readonly url: string;
    readonly isOwn: boolean;
    readonly isAlive: boolean;
    readonly memoryMib: number | null;
  }[];
  /** Null where the files are out of reach. */
  readonly checks: readonly Check[] | null;
};

/**
 * Most memory that a server may take, in MiB. An isolate's own limit is 128 MB in production; here one process has the Worker
 * and hundreds of objects with their SQLite caches. A leak of 20 KiB a request would pass it in 50,000.
 */
const MEMORY_MIB_MAX = 1_024;

/** Failures that are shown of each server. */
const SHOWN_MAX = 20;

/** The report, and whether nothing was wrong. */
export function linesOf(findings: Findings): { readonly lines: readonly string[]; readonly isPassed: boolean } {
  const { sent, servers, checks } = findings;
  const parts = [...sent.map(inputsPart), rawPart(findings), storiesPart(findings), ...servers.map(serverPart), filesPart(checks)];
  const shown = parts.filter((part) => part !== null);
  const lines = [
    // One input alone has nothing to be counted.
    ...(findings.raw === null ? [] : tallyLines(findings.tally)),
    ...shown.flatMap(({ failures, summary, isPassed }) => [...failures, `${isPassed ? "✓" : "✗"} ${summary}`]),
  ];
  return { lines, isPassed: shown.every(({ isPassed }) => isPassed) };
}

function tallyLines(tally: Tally): string[] {
  const { count, unmet } = tally.foretold();
  return [
    ...Object.entries(tally.byOperation()).map(([where, counts]) => `  ${where.padEnd(34)}${statusesOf(counts)}`),
    `  answers that the document foretells, faults of the server aside: met ${count - unmet.length} of ${count}`,
    ...unmet.map((each) => `    not met: ${each}`),
    "",
  ];
}

type Part = { readonly failures: readonly string[]; readonly summary: string; readonly isPassed: boolean };

function inputsPart({ url, isGuarded, inputs, failures, regressions, seconds }: Sent): Part {
  const isPassed = failures.length === 0;
  // The rule of three: nothing in N bounds the rate below 3/N.
  const bound = isPassed && inputs > 3 ? ` (95 % sure: fewer than 1 in ${Math.floor(inputs / 3)} do)` : "";
  const where = isGuarded ? "inputs to the server that asks users for tokens" : "inputs";
  return {
    failures: failures.slice(0, SHOWN_MAX).flatMap((failure) => failureLines(failure, url, isGuarded)),
    summary: `${inputs} ${where} in ${seconds.toFixed(0)} s: ${failures.length} answered wrongly${bound}; ${regressions} known ones before them`,
    isPassed,
  };
}

function failureLines({ fault, request, drawn, isRepeated }: Failure, url: string, isGuarded: boolean): string[] {
  const lines = [`✗ ${fault}`, `    ${curlOf(request, url)}`, `    ${JSON.stringify({ request })}`];
  if (drawn !== null) lines.push(`    npm run fuzz -- --seed ${drawn.seed} --path ${drawn.path}${isGuarded ? " --guarded" : ""}`);
  if (!isRepeated) lines.push("    sent again it was right: it depends on what the coupons had become");
  return lines;
}

function rawPart({ raw }: Findings): Part | null {
  if (raw === null) return null;
  const own = statusesOf(raw.byRuntime);
  const byRuntime = own === "" ? "" : `; workerd answered by itself: ${own}`;
  return {
    failures: raw.failures.map(({ name, fault }) => `✗ ${name}: ${fault}`),
    summary: `${raw.cases} hostile sockets: ${raw.failures.length} went wrong${byRuntime}`,
    isPassed: raw.failures.length === 0,
  };
}

function storiesPart({ stories }: Findings): Part | null {
  if (stories === null) return null;
  const { url, count, requests, failures } = stories;
  return {
    failures: failures.flatMap(({ fault, requests: all }) => [`✗ ${fault}`, ...all.map((request) => `    ${curlOf(request, url)}`)]),
    summary: `${count} stories of ${requests} requests: ${failures.length} went wrong`,
    isPassed: failures.length === 0,
  };
}

function serverPart({ url, isOwn, isAlive, memoryMib }: Findings["servers"][number]): Part {
  const isBounded = (memoryMib ?? 0) <= MEMORY_MIB_MAX;
  const memory = memoryMib === null ? "" : `; it took at most ${memoryMib} MiB of memory (bound ${MEMORY_MIB_MAX})`;
  return {
    failures: [],
    summary: `${url} ${isAlive ? (isOwn ? "is alive, the same process" : "is alive") : "is gone"}${memory}`,
    isPassed: isAlive && isBounded,
  };
}

function filesPart(checks: Findings["checks"]): Part | null {
  if (checks === null) return null;
  const failed = checks.filter(({ verdict }) => verdict === "FAIL").length;
  const coupons = new Set(checks.map(({ coupon }) => coupon)).size;
  return { failures: [], summary: `files of ${coupons} coupons: ${failed} of ${checks.length} checks failed`, isPassed: failed === 0 };
}

function statusesOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([status, count]) => `${status} × ${count}`)
    .join(", ");
}

/** The findings as they are kept in a file. */
export function numbersOf({ tally, checks, ...rest }: Findings): object {
  const failed = checks?.filter(({ verdict }) => verdict === "FAIL") ?? [];
  return {
    ...rest,
    byOperation: tally.byOperation(),
    foretold: tally.foretold(),
    verification: checks === null ? null : { checks: checks.length, failed },
  };
}
