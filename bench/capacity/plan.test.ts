// The plan of a sale: what can be worked out by hand comes out, and everybody is accounted for.

import { describe, expect, test } from "vitest";

import { chart } from "./chart.ts";
import { priceOf } from "./price.ts";
import { arrivedBy, changeMsMax, forecast, type Forecast, type Sale } from "./queue.ts";

const SALE: Sale = {
  users: 10_000,
  stock: 1_000,
  seconds: 10,
  shape: "flat",
  objectPerSecond: 2_000,
  batchUs: 0,
  claimUs: 100,
  batchSizeMax: 512,
  mailboxLengthMax: 8192,
  flushMs: 40,
  batchWaitMs: 10,
  isolates: 0,
  renewalMs: 625,
  leaseMs: 1_100,
  lanes: 0,
  laneMs: 20,
  bulkClaimUs: 10,
};

/** Everybody who was answered for good: judged by the object or refused at the edge. */
function answered({ moments }: Forecast): number {
  return moments.reduce((sum, { judged, refusedAtEdge }) => sum + judged + refusedAtEdge, 0);
}

describe("a sale that one object keeps up with", () => {
  const result = forecast(SALE);

  test("is sold out as soon as that many have come, a second here", () => {
    expect(result.granted).toBe(1_000);
    expect(result.soldOutAtMs).toBeGreaterThan(999);
    expect(result.soldOutAtMs).toBeLessThan(1_010);
  });

  test("answers everybody after a flush and a quarter of one, and turns no user away", () => {
    // A flush of 40 ms, 10 ms until the batch starts, at most 11 requests of half a millisecond each, and a step.
    expect(result.winners.maxMs).toBeGreaterThanOrEqual(50);
    expect(result.winners.maxMs).toBeLessThanOrEqual(57);
    expect(result.turnedAway).toBe(0);
    expect(Math.round(result.askedOfObject)).toBe(10_000);
  });
});

describe("a sale that is too much for one object", () => {
  const flood = { ...SALE, users: 100_000, objectPerSecond: 1_000 };

  test("without certificates makes the last ones wait until the object has come to them", () => {
    const result = forecast({ ...flood, mailboxLengthMax: 1_000_000 });
    // 100,000 at 1,000 a second.
    expect(result.endedAtMs).toBeGreaterThan(99_900);
    expect(result.endedAtMs).toBeLessThan(100_200);
    expect(answered(result)).toBeCloseTo(100_000, 0);
  });

  test("turns users away while the mailbox is full; they come back and are all answered", () => {
    const result = forecast(flood);
    expect(result.turnedAway).toBeGreaterThan(10_000);
    expect(result.waitingMax).toBeLessThanOrEqual(8192);
    expect(answered(result)).toBeCloseTo(100_000, 0);
  });

  test("with certificates asks the object for two users of each isolate, and for each renewal", () => {
    const result = forecast({ ...flood, isolates: 50 });
    // The last one is refused at 9,999 ms: one request of each isolate, and one for each 625 ms since the last unit.
    const renewals = (9_999 - (result.soldOutAtMs ?? NaN)) / 625;
    expect(result.certificateRequests).toBeCloseTo(50 * (1 + renewals), 5);
    expect(result.refusedAtEdge).toBeGreaterThan(80_000);
    expect(answered(result)).toBeCloseTo(100_000, 0);
    expect(result.endedAtMs).toBeLessThan(20_000);
  });

  test("behind lanes is sold out when that many have come, and the object is asked for bulks only", () => {
    const result = forecast({ ...flood, lanes: 20, isolates: 50 });
    // 1,000 of 10,000 a second have come after 100 ms; a lane collects for 20.
    expect(result.soldOutAtMs).toBeGreaterThanOrEqual(100);
    expect(result.soldOutAtMs).toBeLessThan(160);
    expect(result.turnedAway).toBe(0);
    expect(answered(result)).toBeCloseTo(100_000, 0);
  });
});

test("a change of the closed sale is answered after the lease and a flush, without certificates after a flush", () => {
  expect([changeMsMax({ ...SALE, isolates: 50 }), changeMsMax(SALE)]).toEqual([1_140, 40]);
});

test("a batch waits for a flush in flight only for a part of it", () => {
  const slow = { ...SALE, flushMs: 1_000, batchWaitMs: 250 };
  const { winners } = forecast(slow);
  expect(winners.maxMs).toBeGreaterThanOrEqual(1_250);
  expect(winners.maxMs).toBeLessThan(1_400);
  expect(forecast({ ...slow, batchWaitMs: Infinity }).winners.maxMs).toBeGreaterThan(1_900);
});

test("a burst brings half of them in the first tenth of the time, and all of them by the end", () => {
  const sale = { users: 1_000, seconds: 10, shape: "burst" } as const;
  expect([0, 500, 1_000, 10_000, 20_000].map((ms) => arrivedBy(sale, ms))).toEqual([0, 250, 500, 1_000, 1_000]);
});

test("stock that no user asks for is left, and nothing is sold out", () => {
  const result = forecast({ ...SALE, users: 10, stock: 1_000 });
  expect([result.granted, result.soldOutAtMs]).toEqual([10, null]);
});

test("the price is what the price list says", () => {
  const price = priceOf({ workerRequests: 1e6, workerUs: 1_000, objectRequests: 2e6, objects: 1, seconds: 1e6 / 0.128, claims: 500_000 });
  expect(Object.values(price)).toEqual([0.3, 0.02, 0.3, 12.5, 1]);
});

test("the chart draws each thing that happens, and its title as it is", () => {
  const picture = chart(forecast({ ...SALE, users: 1_000_000, stock: 10_000, isolates: 10 }), "a < b & c");
  expect(picture.match(/<polyline/g)).toHaveLength(4);
  expect(picture).toContain("a &lt; b &amp; c");
  expect(picture).not.toContain("NaN");
});
