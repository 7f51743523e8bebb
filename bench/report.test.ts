// The benchmark's pure parts: what a run is checked for, how its measurements are summed up, and how they are shown.

import { describe, expect, test } from "vitest";

import { replaced } from "./report.ts";
import { barChart, type Bar } from "./report/chart.ts";
import { reportOf } from "./report/markdown.ts";
import { known, summariesOf } from "./report/summary.ts";
import { table } from "./report/table.ts";
import { median, type BenchRecord, type Measurement, type RowRecord } from "./record.ts";
import { faultIn } from "./rounds.ts";
import { claimsOf } from "./load/load.ts";

function measurement(given: Partial<Measurement>): Measurement {
  const { perSecond = 100, seconds = 8 } = given;
  const times = { p50Ms: 1, p99Ms: 2, maxMs: 3 };
  return {
    round: 1,
    connections: 64,
    answers: perSecond * seconds,
    seconds,
    perSecond,
    ...times,
    cpuUs: 50,
    stored: null,
    stolen: 0,
    ...given,
  };
}

function row(name: string, perSecond: readonly number[], given: Partial<RowRecord> = {}): RowRecord {
  const measurements = perSecond.map((rate, index) => measurement({ round: index + 1, perSecond: rate }));
  return { name, kind: "product", about: `what ${name} is`, unitsPerAnswer: 1, measurements, ...given };
}

function record(given: Partial<BenchRecord>): BenchRecord {
  return {
    name: "x",
    at: "2026-11-21T12:00:00.000Z",
    machine: { processors: 2, loadBefore: 0.1 },
    versions: { workerd: "1.2.3" },
    settings: { rounds: 3, seconds: 8, connections: [64], driver: "wrk 4.1.0" },
    rows: [],
    growth: {},
    skipped: [],
    ...given,
  };
}

const bar = (given: Partial<Bar>): Bar => ({ label: "a", value: 10, range: [10, 10], kind: "product", ...given });
/** Widths of the bars, without the squares of the legend. */
const widthsIn = (svg: string): number[] =>
  Array.from(svg.matchAll(/<rect [^>]*width="([\d.]+)" height="18"/g), ([, width]) => Number(width));

describe("a run is wrong when", () => {
  const claim = { load: claimsOf("bench"), unitsPerAnswer: 1, counted: { coupon: "bench", perUnit: 1 } } as const;
  const bulk = { ...claim, unitsPerAnswer: 1000 };
  const refusal = { load: claimsOf("one", 400), unitsPerAnswer: 1, counted: { coupon: "one", perUnit: 0 } } as const;

  test.for([
    ["nothing was answered", claim, { answers: 0, wrong: 0 }, 0, "nothing was answered"],
    ["an answer had another status", claim, { answers: 10, wrong: 1 }, 10, "1 of 10 answers were not 201"],
    ["a claim was answered and not stored", claim, { answers: 10, wrong: 0 }, 9, "10 answers stand for 10 claims, and 9 were stored"],
    ["more were stored than can be open", claim, { answers: 10, wrong: 0 }, 19, "10 answers stand for 10 claims, and 19 were stored"],
    [
      "one claim of a bulk answer is missing",
      bulk,
      { answers: 2, wrong: 0 },
      1999,
      "2 answers stand for 2000 claims, and 1999 were stored",
    ],
    ["a refusal stored something", refusal, { answers: 10, wrong: 0 }, 1, "10 answers stand for 0 claims, and 1 were stored"],
  ] as const)("%s", ([, of, answered, stored, fault]) => {
    expect(faultIn(of, answered, stored, 8)).toBe(fault);
  });

  test.for([
    ["every answer was stored", claim, { answers: 10, wrong: 0 }, 10],
    ["requests were still open at the end", claim, { answers: 10, wrong: 0 }, 18],
    ["bulk requests were still open at the end", bulk, { answers: 2, wrong: 0 }, 10_000],
    ["nothing was stored for a refusal", refusal, { answers: 10, wrong: 0 }, 0],
    ["nothing is counted", { ...claim, counted: null }, { answers: 10, wrong: 0 }, null],
  ] as const)("and not when %s", ([, of, answered, stored]) => {
    expect(faultIn(of, answered, stored, 8)).toBeNull();
  });
});

describe("measurements are summed up", () => {
  test("the median is the middle one, or between the middle two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  test("a ratio is of the same round, and not of the medians", () => {
    const rows = [row("claim", [100, 200, 400]), row("other", [50, 300, 200])];
    const other = summariesOf({ rows }, 64).find(({ row: { name } }) => name === "other");
    expect(other).toMatchObject({ perSecond: 200, perSecondRange: [50, 300], ratio: 0.5 });
  });

  test("there is no ratio without the row that all are compared with", () => {
    expect(summariesOf({ rows: [row("other", [100])] }, 64).map(({ ratio }) => ratio)).toEqual([null]);
  });

  test("other numbers of connections are left out", () => {
    const rows = [row("claim", [], { measurements: [measurement({ connections: 64 }), measurement({ connections: 256, perSecond: 7 })] })];
    expect(summariesOf({ rows }, 256).map(({ perSecond }) => perSecond)).toEqual([7]);
    expect(summariesOf({ rows }, 1)).toEqual([]);
  });

  test("a value that was unknown once is unknown in all", () => {
    expect(known([1, 2])).toEqual([1, 2]);
    expect(known([1, null])).toBeNull();
  });
});

test("a table lines up on a terminal, numbers to the right", () => {
  expect(table(["row", "a second"], [["`claim`", "7,300"]], 1)).toBe(
    ["| row     | a second |", "| ------- | -------: |", "| `claim` |    7,300 |"].join("\n"),
  );
});

describe("a chart", () => {
  test("has one bar for each value, on one scale from 0", () => {
    const [half = 0, whole = 0] = widthsIn(barChart("t", [bar({ value: 50 }), bar({ value: 100, range: [100, 100] })], String));
    expect(half * 2).toBeCloseTo(whole, 0);
  });

  test("keeps the largest measurement inside, not only the largest median", () => {
    const [width = 0] = widthsIn(barChart("t", [bar({ value: 50, range: [40, 100] })], String));
    const [largest = 0] = widthsIn(barChart("t", [bar({ value: 100, range: [100, 100] })], String));
    expect(width * 2).toBeCloseTo(largest, 0);
  });

  test("names its colors where it has more than one", () => {
    expect(barChart("t", [bar({})], String)).not.toContain("peers");
    const both = barChart("t", [bar({}), bar({ kind: "peer" })], String);
    expect(both).toContain(">peers<");
    expect(both).toContain(">this product<");
  });

  test("is well-formed under any title", () => {
    expect(barChart('a < b & "c"', [bar({ label: "<x>" })], String)).toContain("a &lt; b &amp; &quot;c&quot;");
  });
});

describe("the report", () => {
  test("has a table and two charts for each number of connections", () => {
    const { markdown, charts } = reportOf(record({ rows: [row("claim", [100, 120, 110])] }), "x", "../");
    expect(markdown).toContain("### 64 connections");
    expect(markdown).toMatch(/\| `claim` \|\s+110 \|\s+100 – 120 \|\s+1\.00 \|\s+1\.0 \|\s+2\.0 \|\s+50 \|/);
    expect(Object.keys(charts)).toEqual(["x-rate-64.svg", "x-cpu-64.svg"]);
    expect(markdown).toContain("(../x-rate-64.svg)");
  });

  test("keeps rows of many claims an answer out of the charts, and in the table", () => {
    const rows = [row("claim", [100]), row("bulk", [90_000], { unitsPerAnswer: 1000 })];
    const { markdown, charts } = reportOf(record({ rows }), "x", "");
    expect(markdown).toContain("`bulk`");
    expect(widthsIn(charts["x-rate-64.svg"] ?? "")).toHaveLength(1);
  });

  test("says nothing of CPU time that is unknown", () => {
    const rows = [row("claim", [], { measurements: [measurement({ cpuUs: null, stolen: null })] })];
    const { markdown, charts } = reportOf(record({ rows }), "x", "");
    expect(Object.keys(charts)).toEqual(["x-rate-64.svg"]);
    expect(markdown).not.toContain("hypervisor");
  });

  test("names what was skipped, and why", () => {
    const { markdown } = reportOf(record({ skipped: [{ name: "redis-always", why: "redis-server is not installed" }] }), "x", "");
    expect(markdown).toContain("- `redis-always` was skipped: redis-server is not installed.");
  });

  test("says how much of the machine was not there", () => {
    const rows = [row("claim", [], { measurements: [measurement({ stolen: 0.001 }), measurement({ round: 2, stolen: 0.034 })] })];
    expect(reportOf(record({ rows }), "x", "").markdown).toContain("at most 3.4 % of the processors");
  });

  test("shows growth by its medians, and by its ratios within each round", () => {
    const growth = {
      sizes: [
        { claims: 1000, wallUs: [100, 50, 90], cpuUs: [50, 60, 55] },
        { claims: 1_000_000, wallUs: [150, 140, 200], cpuUs: [null, 60, 55] },
      ],
      coldStart: [{ claims: 0, firstMs: [3, 5, 4], nextMs: [1, 1, 1] }],
      largeRead: { claims: 100_000, bytes: 4_400_000, ms: [300, 100, 200], grewBytes: 20_000_000 },
      manyCoupons: [{ coupons: 1000, askedWithinMs: 400, openFiles: 3000, memoryBytes: 400_000_000 }],
    };
    const { markdown, charts } = reportOf(record({ growth }), "x", "");
    expect(markdown).toMatch(/\| +1,000,000 \| +150 \| +2\.22 \| +\|/);
    expect(markdown).toMatch(/\| +0 \| +4\.00 \| +1\.00 \| +3\.00 \|/);
    expect(markdown).toContain("4.4 MB of JSON, took 200 ms (median of 3 reads). The server's memory grew by 20.0 MB at its peak.");
    expect(markdown).toMatch(/\| 1,000 +\| all asked within 0\.4 s \| +3,000 \| 400\.0 MB \|/);
    expect(Object.keys(charts)).toEqual(["x-growth.svg"]);
  });
});

describe("a document", () => {
  test("gets a report between its marks, again and again", () => {
    const once = replaced("a\n<!-- results -->\n<!-- /results -->\nb\n", "new\n");
    expect(once).toBe("a\n<!-- results -->\n\nnew\n\n<!-- /results -->\nb\n");
    expect(replaced(once ?? "", "new\n")).toBe(once);
  });

  test("without marks is left as it is", () => {
    expect(replaced("a", "b")).toBeNull();
    expect(replaced("<!-- /results --> <!-- results -->", "b")).toBeNull();
  });
});
