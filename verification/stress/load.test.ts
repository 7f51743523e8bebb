// The load's timing, thresholds and options, without a server.

import { setTimeout as pause } from "node:timers/promises";

import { expect, test } from "vitest";

import { CommandFailure, parseCommand } from "../../scripts/cli/command.ts";
import type { Answer } from "../client/coupon-client.ts";
import { latencyOf, percentile } from "./latency.ts";
import { drive } from "./load.ts";
import { LOAD_OPTIONS } from "./options.ts";
import { reportOf } from "./report.ts";
import { isLoopback } from "./target.ts";
import { CLAIM_BOUNDS, exactly, within, withoutLatency } from "./thresholds.ts";

const ANSWER: Answer = { status: 200, body: {}, seq: 1, headers: {} };
const BUSY_MS = 80;

function blockFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

async function resetAfter20Ms(): Promise<Answer> {
  await pause(20);
  throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
}

const virtualUsers = { users: [], timeoutMs: 30_000, close: () => Promise.resolve() };

test.for([
  [0.01, 1],
  [0.5, 50],
  [0.99, 99],
  [0.995, 100],
  [1, 100],
] as const)("percentile %d of 1 to 100 is %d", ([share, value]) => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([percentile(values, share), percentile([7], share), percentile([], share)]).toEqual([value, 7, NaN]);
});

test("latency covers all requests, and the rate the time from first plan to last end", () => {
  const sent = [30, 10, 20].map((latencyMs, index) => ({ slot: { atMs: index * 1000 }, latencyMs, endedAtMs: index * 1000 + latencyMs }));
  expect(latencyOf(sent)).toMatchObject({ requests: 3, requestsPerSecond: 3 / 2.02, avgMs: 20, minMs: 10, p50Ms: 20, p99Ms: 30 });
});

test("a latency threshold fails at its bound and without requests, unless latency is ignored", () => {
  const latency = { requests: 1, requestsPerSecond: 1, avgMs: 0, minMs: 0, p50Ms: 499.9, p90Ms: 0, p95Ms: 1000, p99Ms: 2500, maxMs: 0 };
  const thresholds = within("claims", CLAIM_BOUNDS, latency);
  expect(thresholds.map(({ isKept }) => isKept)).toEqual([true, false, false]);
  expect(within("claims", CLAIM_BOUNDS, null).map(({ isKept }) => isKept)).toEqual([false, false, false]);
  expect(withoutLatency([...thresholds, exactly("claim errors", 0, 1)]).map(({ isKept }) => isKept)).toEqual([true, true, true, false]);
});

test("a count threshold is exact in both directions", () => {
  expect([99, 100, 101].map((actual) => exactly("claims granted", 100, actual).isKept)).toEqual([false, true, false]);
});

test.for([
  ["passes with kept thresholds and passed checks", 0, ["PASS", "SKIP"], true],
  ["fails with a broken threshold", 1, ["PASS"], false],
  ["fails with a failed check", 0, ["PASS", "FAIL"], false],
  ["fails without a check", 0, [], false],
  ["fails with skipped checks only", 0, ["SKIP"], false],
] as const)("a report %s and keeps receipts to itself", ([, errors, verdicts, isPassed]) => {
  const checks = verdicts.map((verdict) => ({ coupon: "C", title: "claims ≤ amount", verdict, detail: "" }));
  const receipts = [{ coupon: "C", userId: "ada", position: 1, claimedAt: "2026-11-21T09:56:14.755Z" }];
  const thresholds = [exactly("claim errors", 0, errors)];
  const measured = { setting: "", coupons: ["C"], counters: {}, latency: {}, thresholds, faults: [], receipts };
  const report = reportOf("purchase-load", "", "", measured, { by: "the files", checks, print: () => undefined });
  expect([report.isPassed, JSON.stringify(report).includes("ada")]).toEqual([isPassed, false]);
});

test("the load counts latency from the planned instant while the sender is blocked", async () => {
  const slots = [
    { atMs: 0, send: () => (blockFor(BUSY_MS), Promise.resolve(ANSWER)) },
    { atMs: 0, send: () => Promise.resolve(ANSWER) },
    { atMs: 10, send: () => Promise.resolve(ANSWER) },
  ];
  const latencies = (await drive("stalled", slots, virtualUsers)).map(({ latencyMs }) => latencyMs);
  expect([latencies[0], latencies[1], (latencies[2] ?? 0) + 10].filter((ms) => (ms ?? 0) < BUSY_MS)).toEqual([]);
});

test("the load sends a request while an earlier one is unanswered", async () => {
  const first = Promise.withResolvers<Answer>();
  const slots = [
    { atMs: 0, send: () => first.promise },
    { atMs: 5, send: () => (first.resolve(ANSWER), Promise.resolve(ANSWER)) },
  ];
  expect((await drive("open", slots, virtualUsers)).map(({ answer }) => answer?.status)).toEqual([200, 200]);
});

test("the load sends no request before its instant", async () => {
  const slots = Array.from({ length: 100 }, (_, index) => ({ atMs: index * 0.7, send: () => Promise.resolve(ANSWER) }));
  const sent = await drive("paced", slots, virtualUsers);
  expect(sent.filter(({ slot, sentAtMs }) => sentAtMs < slot.atMs)).toEqual([]);
});

test("the load records a failure with its latency", async () => {
  const [sent] = await drive("broken", [{ atMs: 0, send: resetAfter20Ms }], virtualUsers);
  expect([sent?.answer, sent?.failure, (sent?.latencyMs ?? 0) >= 19]).toEqual([null, "the connection was closed", true]);
});

test("only hosts that are always this machine count as loopback", () => {
  const hosts = ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "10.0.0.1", "127.evil.test", "localhost.evil.test", "[::2]", "0.0.0.0"];
  expect(hosts.filter(isLoopback)).toEqual(["localhost", "127.0.0.1", "127.8.9.10", "[::1]"]);
});

test("options come from flags first, then the environment, then defaults", () => {
  const command = { name: "npm run stress", about: "", options: LOAD_OPTIONS };
  const env = { VUS: "50", INITIAL_STOCK: "5", BASE_URL: "http://127.0.0.1:8787" };
  const { options } = parseCommand(command, ["--vus", "60"], env);
  expect(options).toMatchObject({ vus: 60, initialStock: 5, baseUrl: "http://127.0.0.1:8787", dedupUsers: 10 });
  expect(() => parseCommand(command, ["--vus", "0"], {})).toThrow(CommandFailure);
});
