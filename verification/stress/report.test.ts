// What the stress commands print, and what they take.

import { describe, expect, test } from "vitest";

import { CommandFailure, parseCommand } from "../cli/command.ts";
import { failureOf } from "./crowd.ts";
import type { Measured } from "./modes/mode.ts";
import { checkOptions, LOAD_OPTIONS, seedOf } from "./options.ts";
import { linesOf, markdownOf, reportOf } from "./report.ts";
import { isLoopback } from "./target.ts";
import { exactly, within, withoutLatency } from "./thresholds.ts";

const LATENCY = { requests: 1000, requestsPerSecond: 2219.4, avgMs: 1, minMs: 2, p50Ms: 3.25, p90Ms: 4, p95Ms: 5, p99Ms: 6, maxMs: 7 };
const MEASURED: Measured = {
  setting: "a rush",
  coupons: ["C"],
  counters: { claim_granted: 100, claim_out_of_stock: 900, http_errors: 0 },
  latency: { claims: LATENCY, status: null },
  thresholds: [exactly("claims granted", 100, 100), ...within("claims", { p50Ms: 4, p95Ms: 9, p99Ms: 9 }, LATENCY)],
  faults: [],
  told: [{ coupon: "C", userId: "ada", position: 1, claimedAt: "2026-11-21T09:56:14.755Z" }],
  released: [],
};
const PASS = { coupon: "C", title: "claims ≤ amount", verdict: "PASS", detail: "" } as const;

function report(measured: Measured = MEASURED, checks: readonly { verdict: "PASS" | "FAIL" | "SKIP" }[] = [PASS]) {
  const made = checks.map(({ verdict }) => ({ ...PASS, verdict }));
  return reportOf("purchase-load", "2026-11-21T10:00:00.000Z", "http://127.0.0.1:1", measured, {
    by: "the files",
    checks: made,
    print: () => undefined,
  });
}

describe("a report", () => {
  test("reads as counters, latencies and thresholds", () => {
    expect(linesOf(report())).toEqual([
      "purchase-load: a rush",
      "  server http://127.0.0.1:1",
      "",
      "  claim_granted .............................. 100",
      "  claim_out_of_stock ......................... 900",
      "  http_errors ................................ 0",
      "  claims: requests ........................... 1,000, 2,219/s",
      "  claims: latency (ms) ....................... avg 1.0  min 2.0  p50 3.3  p90 4.0  p95 5.0  p99 6.0  max 7.0",
      "",
      "  ✓ claims granted                               100 (100)",
      "  ✓ claims: p50                                  3.3 ms (< 4 ms)",
      "  ✓ claims: p95                                  5.0 ms (< 9 ms)",
      "  ✓ claims: p99                                  6.0 ms (< 9 ms)",
      "  ✓ checks against the files                     1 passed, 0 failed (all pass)",
    ]);
  });

  test("can leave aside how long it took, and nothing else", () => {
    const slow = {
      ...MEASURED,
      thresholds: [exactly("claim errors", 0, 1), ...within("claims", { p50Ms: 1, p95Ms: 1, p99Ms: 9 }, LATENCY)],
    };
    const kept = withoutLatency(slow.thresholds);
    expect(slow.thresholds.map(({ isKept }) => isKept)).toEqual([false, false, false, true]);
    expect(kept.map(({ isKept }) => isKept)).toEqual([false, true, true, true]);
    expect(linesOf(report({ ...slow, thresholds: kept }))).toContain(
      "  ✓ claims: p50                                  3.3 ms (< 1 ms, not judged)",
    );
  });

  test("passes only where every threshold is kept", () => {
    expect(report().isPassed).toBe(true);
    const failed = report({ ...MEASURED, thresholds: [...MEASURED.thresholds, exactly("claim errors", 0, 1)] });
    expect(failed.isPassed).toBe(false);
    expect(linesOf(failed)).toContain("  ✗ claim errors                                 1 (0)");
  });

  test.for([
    ["a check fails", ["PASS", "FAIL"], false],
    ["nothing was checked", [], false],
    ["everything was left out", ["SKIP"], false],
    ["something was left out", ["PASS", "SKIP"], true],
  ] as const)("that decides: %s", ([, verdicts, isPassed]) => {
    expect(
      report(
        MEASURED,
        verdicts.map((verdict) => ({ verdict })),
      ).isPassed,
    ).toBe(isPassed);
  });

  test("shows what went wrong, ten kinds at most", () => {
    const faults = Array.from({ length: 12 }, (_, index) => ({ what: `claim: ${500 + index}`, count: 2000 }));
    const lines = linesOf(report({ ...MEASURED, faults }));
    expect(lines).toContain("  2,000 × claim: 509");
    expect(lines).not.toContain("  2,000 × claim: 510");
    expect(lines).toContain("  and 2 more kinds");
  });

  test("keeps the receipts of users to itself", () => {
    expect(JSON.stringify(report())).not.toContain("ada");
  });

  test("is a table on a job's page", () => {
    expect(markdownOf([report()])).toContain("### ✓ stress: purchase-load\n\na rush\n\n| | threshold | wanted | actual |\n");
    expect(markdownOf([report()])).toContain("| ✓ | claims granted | 100 | 100 |\n");
  });
});

describe("a target", () => {
  test.for(["localhost", "127.0.0.1", "127.8.9.10", "[::1]"])("%s is this machine", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.for([
    "doorbuster.example.workers.dev",
    "10.0.0.1",
    "127.evil.test",
    "localhost.evil.test",
    "127.0.0.1.evil.test",
    "[::2]",
    "0.0.0.0",
  ])("%s is not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("options", () => {
  const command = { name: "npm run stress", about: "", options: LOAD_OPTIONS };

  function options(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const parsed = parseCommand(command, args, env).options;
    if (parsed === "help") throw new Error("help");
    return parsed;
  }

  test("have the documented defaults", () => {
    expect(options([])).toMatchObject({ initialStock: 100, vus: 1000, dedupUsers: 10, dedupRequests: 100, cooldown: 5, timeout: 30 });
  });

  test("are read from flags and from the environment, flags first", () => {
    const env = {
      VUS: "50",
      INITIAL_STOCK: "5",
      BASE_URL: "http://127.0.0.1:8787",
      ADMIN_TOKEN: "t",
      DEDUP_USERS: "3",
      COOLDOWN: "0",
      STATE: "s",
    };
    expect(options(["--vus", "60"], env)).toMatchObject({
      vus: 60,
      initialStock: 5,
      baseUrl: "http://127.0.0.1:8787",
      adminToken: "t",
      dedupUsers: 3,
      cooldown: 0,
      state: "s",
    });
  });

  test.for([
    ["--vus", "0"],
    ["--vus", "10001"],
    ["--initial-stock", "2147483648"],
    ["--cooldown", "601"],
    ["--timeout", "1e9"],
  ])("%s does not take %s", ([flag, value]) => {
    expect(() => options([flag ?? "", value ?? ""])).toThrow(CommandFailure);
  });

  test.for([
    ["a state without its server", ["--state", "folder"]],
    ["more duplicates than connections", ["--dedup-users", "1000", "--dedup-requests", "11"]],
    ["a blank name", ["--coupon", " "]],
    ["a long name", ["--coupon", "x".repeat(201)]],
  ] as const)("that contradict each other are refused: %s", ([, args]) => {
    expect(() => checkOptions("npm run stress", options(args))).toThrow(CommandFailure);
  });

  test("a seed is a number, or drawn", () => {
    expect(seedOf("npm run stress", "42")).toBe(42);
    expect(Number.isInteger(seedOf("npm run stress", undefined))).toBe(true);
    for (const seed of ["-1", "x", "4294967296", "1.5", ""]) expect(() => seedOf("npm run stress", seed)).toThrow(CommandFailure);
  });
});

test.for([
  ["UND_ERR_HEADERS_TIMEOUT", "no answer within 30 s"],
  ["ECONNREFUSED", "connection refused"],
  ["EADDRNOTAVAIL", "no local port is free"],
  ["EMFILE", "too many open files"],
] as const)("an error %s reads: %s", ([code, words]) => {
  expect(failureOf(Object.assign(new Error("raw"), { code }), 30_000)).toBe(words);
  expect(failureOf(new AggregateError([Object.assign(new Error("raw"), { code })]), 30_000)).toBe(words);
});
