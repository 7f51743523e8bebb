// The benchmark rejects wrong runs, and its report has the right medians and ratios.

import { expect, test } from "vitest";

import { claimsOf } from "./load/load.ts";
import { median, type BenchRecord, type Measurement, type RowRecord } from "./record.ts";
import { replaced } from "./report.ts";
import { reportOf } from "./report/markdown.ts";
import { known, summariesOf } from "./report/summary.ts";
import { faultIn } from "./rounds.ts";

function row(name: string, perSecond: readonly number[], given: Partial<Measurement> = {}, unitsPerAnswer = 1): RowRecord {
  const rest = { connections: 64, answers: 800, seconds: 8, p50Ms: 1, p99Ms: 2, maxMs: 3, cpuUs: 50, stored: null, stolen: 0, ...given };
  const measurements = perSecond.map((rate, index) => ({ round: index + 1, perSecond: rate, ...rest }));
  return { name, kind: "product", about: `what ${name} is`, unitsPerAnswer, measurements };
}

function reported(given: Partial<BenchRecord>): { readonly markdown: string; readonly charts: readonly string[] } {
  const record: BenchRecord = {
    name: "x",
    at: "2026-11-21T12:00:00.000Z",
    machine: { processors: 2 },
    versions: { workerd: "1.2.3" },
    settings: { rounds: 3, seconds: 8, connections: [64], driver: "wrk 4.1.0" },
    rows: [],
    growth: {},
    skipped: [],
    ...given,
  };
  const { markdown, charts } = reportOf(record, "x", "");
  return { markdown, charts: Object.keys(charts) };
}

const CLAIM = { load: claimsOf("bench"), unitsPerAnswer: 1, counted: { coupon: "bench", perUnit: 1 } } as const;
const BULK = { ...CLAIM, unitsPerAnswer: 1000 };
const REFUSAL = { load: claimsOf("one", 400), unitsPerAnswer: 1, counted: { coupon: "one", perUnit: 0 } } as const;

test.for([
  ["no answer", CLAIM, { answers: 0, wrong: 0 }, 0, "nothing was answered"],
  ["an answer of another status", CLAIM, { answers: 10, wrong: 1 }, 10, "1 of 10 answers were not 201"],
  ["a claim that is not stored", CLAIM, { answers: 10, wrong: 0 }, 9, "10 answers stand for 10 claims, and 9 were stored"],
  ["more stored than open", CLAIM, { answers: 10, wrong: 0 }, 19, "10 answers stand for 10 claims, and 19 were stored"],
  ["a missing claim of a bulk", BULK, { answers: 2, wrong: 0 }, 1999, "2 answers stand for 2000 claims, and 1999 were stored"],
  ["a refusal that stored", REFUSAL, { answers: 10, wrong: 0 }, 1, "10 answers stand for 0 claims, and 1 were stored"],
  ["all claims stored", CLAIM, { answers: 10, wrong: 0 }, 10, null],
  ["open requests at the end", CLAIM, { answers: 10, wrong: 0 }, 18, null],
  ["open bulk requests at the end", BULK, { answers: 2, wrong: 0 }, 10_000, null],
  ["refusals alone", REFUSAL, { answers: 10, wrong: 0 }, 0, null],
  ["no counting", { ...CLAIM, counted: null }, { answers: 10, wrong: 0 }, null, null],
] as const)("a run with %s is judged by its answers and its stored claims", ([, of, answered, stored, fault]) => {
  expect(faultIn(of, answered, stored, 8)).toBe(fault);
});

test("a median is the middle value or the mean of the middle two", () => {
  expect([[3, 1, 2], [4, 1, 3, 2], [7], []].map(median)).toEqual([2, 2.5, 7, NaN]);
});

test("a ratio is the median of the ratios within each round", () => {
  const rows = [row("claim", [100, 200, 400]), row("other", [50, 300, 200])];
  const other = summariesOf({ rows }, 64).find(({ row: { name } }) => name === "other");
  expect(other).toMatchObject({ perSecond: 200, perSecondRange: [50, 300], ratio: 0.5 });
  expect(summariesOf({ rows: [row("other", [100])] }, 64).map(({ ratio }) => ratio)).toEqual([null]);
  expect(summariesOf({ rows }, 256)).toEqual([]);
});

test("one unknown value makes all values of a row unknown", () => {
  expect([known([1, 2]), known([1, null])]).toEqual([[1, 2], null]);
});

test("the report of growth has the ratios within each round", () => {
  const growth = {
    sizes: [
      { claims: 1000, wallUs: [100, 50, 90], cpuUs: [50, 60, 55] },
      { claims: 1_000_000, wallUs: [150, 140, 200], cpuUs: [null, 60, 55] },
    ],
    coldStart: [{ claims: 0, firstMs: [3, 5, 4], nextMs: [1, 1, 1] }],
    largeRead: { claims: 100_000, bytes: 4_400_000, ms: [300, 100, 200], grewBytes: 20_000_000 },
    manyCoupons: [{ coupons: 1000, askedWithinMs: 400, openFiles: 3000, memoryBytes: 400_000_000 }],
  };
  const { markdown } = reported({ growth });
  expect(markdown).toMatch(/\| +1,000,000 \| +150 \| +2\.22 \| +\|/);
  expect(markdown).toMatch(/\| +0 \| +4\.00 \| +1\.00 \| +3\.00 \|/);
  expect(markdown).toContain("took 200 ms (median of 3 reads). The server's memory grew by 20.0 MB at its peak.");
  expect(markdown).toMatch(/\| 1,000 +\| all asked within 0\.4 s \| +3,000 \| 400\.0 MB \|/);
});

test("the report of lanes has medians, and ratios within each round", () => {
  const way = { users: 8_000, crossingCpuUs: [80, 90, 70] };
  const growth = {
    objectCost: [
      { ...way, name: "direct", claimsPerCall: [1, 1, 1], cpuUs: [100, 200, 150] },
      { ...way, name: "lanes-4", claimsPerCall: [600, 700, 650], cpuUs: [10, 30, 30], crossingCpuUs: [2, 3, 4] },
    ],
    laneLatency: [{ connections: 4, direct: [1, 2, 4], throughLanes: [1.5, 2.4, 8] }],
  };
  const { markdown } = reported({ growth });
  expect(markdown).toMatch(/\| `direct` +\| +8,000 \| +1\.0 \| +150 \| +1\.00 \| +80 \|/);
  expect(markdown).toMatch(/\| `lanes-4` +\| +8,000 \| +650 \| +30 \| +0\.15 \| +3\.0 \|/);
  expect(markdown).toMatch(/\| +4 \| +2\.00 \| +2\.40 \| +1\.50 \|/);
});

test("a report replaces the part of a document between its marks, again and again", () => {
  const once = replaced("a\n<!-- results -->\n<!-- /results -->\nb\n", "new\n");
  expect(once).toBe("a\n<!-- results -->\n\nnew\n\n<!-- /results -->\nb\n");
  expect(replaced(once ?? "", "new\n")).toBe(once);
  expect([replaced("a", "b"), replaced("<!-- /results --> <!-- results -->", "b")]).toEqual([null, null]);
});
