// The simulation of a sale: known results come out, and every user has an answer.

import { expect, test } from "vitest";

import { priceOf } from "./price.ts";
import { arrivedBy, changeMsMax, forecast, type Forecast, type Sale } from "./queue.ts";

const SALE: Sale = {
  users: 10_000,
  stock: 1_000,
  seconds: 10,
  shape: "flat",
  requestUs: 500,
  batchSizeMax: 1000,
  mailboxLengthMax: 8192,
  flushMs: 40,
  batchWaitMs: 10,
  isolates: 0,
  renewalMs: 625,
  leaseMs: 1_100,
};
/** Ten times what one object serves. */
const FLOOD = { ...SALE, users: 100_000, requestUs: 1_000 };

/** Users with a final answer. */
function answered({ moments }: Forecast): number {
  return moments.reduce((sum, { judged, refusedAtEdge }) => sum + judged + refusedAtEdge, 0);
}

test("a sale within one object's rate turns no user away", () => {
  const result = forecast(SALE);
  expect([result.granted, result.turnedAway, Math.round(result.objectRequests)]).toEqual([1_000, 0, 10_000]);
  expect(result.soldOutAtMs).toBeGreaterThan(999);
  expect(result.soldOutAtMs).toBeLessThan(1_010);
  // A flush of 40 ms, 10 ms until the batch starts, 11 requests of half a millisecond each, and a step.
  expect(result.winners.maxMs).toBeGreaterThanOrEqual(50);
  expect(result.winners.maxMs).toBeLessThanOrEqual(57);
});

test("an oversized sale without certificates ends when the object has served all", () => {
  const result = forecast({ ...FLOOD, mailboxLengthMax: 1_000_000 });
  // 100,000 at 1,000 a second.
  expect(result.endedAtMs).toBeGreaterThan(99_900);
  expect(result.endedAtMs).toBeLessThan(100_200);
  expect(answered(result)).toBeCloseTo(100_000, 0);
});

test("a full mailbox turns users of an oversized sale away and answers them later", () => {
  const result = forecast(FLOOD);
  expect(result.turnedAway).toBeGreaterThan(10_000);
  expect(result.waitingMax).toBeLessThanOrEqual(8192);
  expect(answered(result)).toBeCloseTo(100_000, 0);
});

test("an oversized sale with certificates sends renewals and two users of each isolate", () => {
  const result = forecast({ ...FLOOD, isolates: 50 });
  // One request of each isolate, and one for each 625 ms from the last unit to the last user at 9,999 ms.
  const renewals = (9_999 - (result.soldOutAtMs ?? NaN)) / 625;
  expect(result.certificateRequests).toBeCloseTo(50 * (1 + renewals), 5);
  expect(result.refusedAtEdge).toBeGreaterThan(80_000);
  expect(answered(result)).toBeCloseTo(100_000, 0);
  expect(result.endedAtMs).toBeLessThan(20_000);
});

test("a change of the closed sale waits for the lease only where there are certificates", () => {
  expect([changeMsMax({ ...SALE, isolates: 50 }), changeMsMax(SALE)]).toEqual([1_140, 40]);
});

test("a batch waits for the flush in flight at most batchWaitMs", () => {
  const slow = { ...SALE, flushMs: 1_000, batchWaitMs: 250 };
  const { winners } = forecast(slow);
  expect(winners.maxMs).toBeGreaterThanOrEqual(1_250);
  expect(winners.maxMs).toBeLessThan(1_400);
  expect(forecast({ ...slow, batchWaitMs: Infinity }).winners.maxMs).toBeGreaterThan(1_900);
});

test("a burst has half of its users in the first tenth of the time", () => {
  const sale = { users: 1_000, seconds: 10, shape: "burst" } as const;
  expect([0, 500, 1_000, 10_000, 20_000].map((ms) => arrivedBy(sale, ms))).toEqual([0, 250, 500, 1_000, 1_000]);
});

test("a sale with fewer users than units is never sold out", () => {
  const result = forecast({ ...SALE, users: 10 });
  expect([result.granted, result.soldOutAtMs]).toEqual([10, null]);
});

test("the price of a sale is usage times price list", () => {
  const price = priceOf({ workerRequests: 1e6, workerUs: 1_000, objectRequests: 2e6, seconds: 1e6 / 0.128, claims: 500_000 });
  expect(Object.values(price)).toEqual([0.3, 0.02, 0.3, 12.5, 1]);
});
