// How the load is sent and timed, without a server.

import { setTimeout as pause } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import type { Answer } from "../client/coupon-client.ts";
import { latencyOf, percentile } from "./latency.ts";
import { drive } from "./load.ts";
import { CLAIM_BOUNDS, exactly, within } from "./thresholds.ts";

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

const patient = { users: [], timeoutMs: 30_000, leave: () => Promise.resolve() };

describe("percentiles", () => {
  test.for([
    [0, 1],
    [0.01, 1],
    [0.5, 50],
    [0.9, 90],
    [0.99, 99],
    [0.995, 100],
    [1, 100],
  ] as const)("a share of %d of the values 1 to 100 is at most %d", ([share, value]) => {
    expect(
      percentile(
        Array.from({ length: 100 }, (_, index) => index + 1),
        share,
      ),
    ).toBe(value);
  });

  test("of one value are that value, of none are no number", () => {
    expect([percentile([7], 0), percentile([7], 0.5), percentile([7], 1), percentile([], 0.5)]).toEqual([7, 7, 7, NaN]);
  });
});

describe("latency", () => {
  test("is summed up over all requests, with the rate from the first instant to the last end", () => {
    const sent = [30, 10, 20].map((latencyMs, index) => ({ slot: { atMs: index * 1000 }, latencyMs, endedAtMs: index * 1000 + latencyMs }));
    expect(latencyOf(sent)).toEqual({
      requests: 3,
      requestsPerSecond: 3 / 2.02,
      avgMs: 20,
      minMs: 10,
      p50Ms: 20,
      p90Ms: 30,
      p95Ms: 30,
      p99Ms: 30,
      maxMs: 30,
    });
  });

  test("of no requests is none, and keeps no bound", () => {
    expect(latencyOf([])).toBeNull();
    expect(within("claims", CLAIM_BOUNDS, null).map(({ isKept }) => isKept)).toEqual([false, false, false]);
  });
});

describe("thresholds", () => {
  const slow = { requests: 1, requestsPerSecond: 1, avgMs: 0, minMs: 0, p50Ms: 499.9, p90Ms: 0, p95Ms: 1000, p99Ms: 2500, maxMs: 0 };

  test("latency stays below its bounds, and not at them", () => {
    expect(within("claims", CLAIM_BOUNDS, slow)).toEqual([
      { what: "claims: p50", wanted: "< 500 ms", actual: "499.9 ms", isKept: true, isLatency: true },
      { what: "claims: p95", wanted: "< 1000 ms", actual: "1000.0 ms", isKept: false, isLatency: true },
      { what: "claims: p99", wanted: "< 2000 ms", actual: "2500.0 ms", isKept: false, isLatency: true },
    ]);
  });

  test("a count is exact in both directions", () => {
    expect([99, 100, 101].map((actual) => exactly("claims granted", 100, actual).isKept)).toEqual([false, true, false]);
  });
});

describe("the load", () => {
  test("is timed from when it was meant to be sent, so that a stalled sender hides nothing", async () => {
    const slots = [
      { atMs: 0, send: () => (blockFor(BUSY_MS), Promise.resolve(ANSWER)) },
      { atMs: 0, send: () => Promise.resolve(ANSWER) },
      { atMs: 10, send: () => Promise.resolve(ANSWER) },
    ];
    const [first, second, third] = await drive("stalled", slots, patient);
    expect(first?.latencyMs).toBeGreaterThanOrEqual(BUSY_MS);
    expect(second?.latencyMs).toBeGreaterThanOrEqual(BUSY_MS);
    expect(third?.latencyMs).toBeGreaterThanOrEqual(BUSY_MS - 10);
    expect(third?.sentAtMs).toBeGreaterThanOrEqual(BUSY_MS);
  });

  test("goes on while what was sent before is not answered", async () => {
    const first = Promise.withResolvers<Answer>();
    const slots = [
      { atMs: 0, send: () => first.promise },
      { atMs: 5, send: () => (first.resolve(ANSWER), Promise.resolve(ANSWER)) },
    ];
    expect((await drive("open", slots, patient)).map(({ answer }) => answer?.status)).toEqual([200, 200]);
  });

  test("waits for each instant, and sends nothing before", async () => {
    const sent = await drive(
      "paced",
      Array.from({ length: 100 }, (_, index) => index * 0.7).map((atMs) => ({ atMs, send: () => Promise.resolve(ANSWER) })),
      patient,
    );
    expect(sent.filter(({ slot, sentAtMs }) => sentAtMs < slot.atMs)).toEqual([]);
  });

  test("notes what failed, and how long that took", async () => {
    const [sent] = await drive("broken", [{ atMs: 0, send: resetAfter20Ms }], patient);
    expect([sent?.answer, sent?.failure]).toEqual([null, "the connection was closed"]);
    expect(sent?.latencyMs).toBeGreaterThanOrEqual(19);
  });
});
