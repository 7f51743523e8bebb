// The calculator: tiny sales with known figures, a sale that loses no user, and what the advice says.

import { describe, expect, test } from "vitest";

import { adviceOn, type Trial } from "./advice.ts";
import { costsFrom } from "./costs.ts";
import { changeMsMax, forecast } from "./forecast.ts";
import { Loop, Thread } from "./loop.ts";
import { priceOf } from "./price.ts";
import { arrivalMs, SHAPES, type Sale, type Shape } from "./sale.ts";

/** Each call takes the coupon 2 ms, each claim 1 ms, each claim in a lane 1 ms. */
const SALE: Sale = {
  users: 1,
  stock: 10,
  seconds: 10,
  shape: "once",
  lanes: 0,
  costs: { callUs: 2_000, claimUs: 1_000, laneUs: 1_000, laneStartUs: 0, workerUs: 6_000 },
  objectRate: 1_000_000,
  flushMs: 40,
  roundTripMs: 10,
  isolates: 1,
  hasCertificates: true,
  isOneThread: false,
  seed: 1,
};

/** The longest wait. */
function waitMs(sale: Partial<Sale>): number {
  const { winners, others } = forecast({ ...SALE, ...sale });
  return Math.max(winners.maxMs, others.maxMs);
}

describe("a tiny sale", () => {
  test.for<[what: string, sale: Partial<Sale>, waits: number]>([
    ["directly: hop 5, call 2, claim 1, flush 40, hop 5", {}, 53],
    ["a refusal, which waits for no flush of its own", { stock: 0 }, 13],
    ["through a lane: one round trip and 1 ms more", { lanes: 1 }, 64],
    ["on one thread: the Worker's 6 ms too, and no wait for the disk", { isOneThread: true }, 19],
    ["two calls at 10 a second: the second one begins 100 ms later", { users: 2, objectRate: 10 }, 153],
    ["two at once: the second one's batch waits a quarter of a flush", { users: 2 }, 64],
    ["a short flush: the second one is judged when it is free", { users: 2, flushMs: 0 }, 16],
  ])("%s", ([, sale, waits]) => {
    expect(waitMs(sale)).toBe(waits);
  });

  test("lanes carry claims that arrive while a call is in flight in one call", () => {
    const { calls, laneRequests, granted, winners } = forecast({ ...SALE, users: 5, lanes: 1 });
    expect([calls, laneRequests, granted]).toEqual([2, 5, 5]);
    // The first call returns to the lane after 59 ms. The second one brings 4 claims, and waits for no flush.
    expect(winners).toMatchObject({ count: 5, p50Ms: 120, maxMs: 120 });
  });
});

describe("a crowd of 6,000 users on 500 units", () => {
  const crowd = { ...SALE, users: 6_000, stock: 500, seconds: 1, isolates: 10, objectRate: 300 };
  const costs = { callUs: 300, claimUs: 20, laneUs: 100, laneStartUs: 0, workerUs: 0 };

  test.for(Object.keys(SHAPES) as Shape[])("arriving as %s, each user has one end, and the stock is granted once", (shape) => {
    for (const lanes of [0, "auto", 4] as const) {
      for (const hasCertificates of [true, false]) {
        const sale = { ...crowd, costs, shape, lanes, hasCertificates };
        const result = forecast(sale);
        const { granted, refused, gaveUp, winners, others, moments, refusedAtEdge, workerRequests } = result;
        expect(granted).toBe(500);
        expect(granted + refused + gaveUp).toBe(6_000);
        expect([winners.count, others.count]).toEqual([granted, refused + gaveUp]);
        expect(moments.reduce((sum, { sent }) => sum + sent, 0)).toBe(workerRequests);
        expect(moments.reduce((sum, moment) => sum + moment.refusedAtEdge, 0)).toBe(refusedAtEdge);
        expect(refusedAtEdge).toBeLessThanOrEqual(hasCertificates ? 12_000 : 0);
        expect(forecast(sale)).toEqual(result);
      }
    }
  });

  test("more lanes turn fewer users away, and eight none", () => {
    const large = { ...crowd, costs, users: 40_000 };
    const turnedAway = [0, 2, 8].map((lanes) => forecast({ ...large, objectRate: 1_000, lanes }).turnedAway);
    expect(turnedAway).toEqual([expect.any(Number), expect.any(Number), 0]);
    expect(turnedAway[0]).toBeGreaterThan(turnedAway[1] ?? NaN);
    expect(turnedAway[1]).toBeGreaterThan(0);
  });

  test("the edge refuses an early crowd, and its first claims use lanes", () => {
    const early = { ...crowd, costs, users: 20_000, objectRate: 1_000, seconds: 5, shape: "early" } as const;
    const { workerRequests, laneRequests, refusedAtEdge, winners } = forecast({ ...early, lanes: "auto" });
    // The early half claims twice.
    expect(workerRequests).toBeGreaterThan(29_500);
    expect(refusedAtEdge).toBeGreaterThan(9_000);
    expect(laneRequests).toBeGreaterThan(500);
    expect(winners.p99Ms).toBeLessThan(forecast(early).winners.p99Ms);
  });
});

test("users arrive in the shape of the sale", () => {
  const shapes = { once: [0, 0, 0], flat: [2, 5, 7], burst: [0, 1, 5], ramp: [5, 7, 8], early: [-3, 0, 5] };
  for (const [shape, seconds] of Object.entries(shapes)) {
    const sale = { users: 10_000, seconds: 10, shape: shape as Shape };
    const arrived = [2_500, 5_000, 7_500].map((user) => Math.floor(arrivalMs(sale, user) / 1000));
    expect([shape, arrived]).toEqual([shape, seconds]);
  }
});

test("a change of the closed sale waits for the lease only where there are certificates", () => {
  expect([changeMsMax({ hasCertificates: true, flushMs: 40 }), changeMsMax({ hasCertificates: false, flushMs: 40 })]).toEqual([1_140, 40]);
});

test("events run by time, then in their order; a thread runs one task", () => {
  const loop = new Loop();
  const thread = new Thread(loop);
  const done: string[] = [];
  const note = (what: string) => () => void done.push(`${what} ${loop.nowMs}`);
  for (const at of [5, 3, 3, 9, 1]) loop.at(at, note(`at ${at}`));
  loop.at(2, () => {
    for (const tookMs of [4, 0, 1]) thread.post(() => (note(`took ${tookMs}`)(), tookMs));
  });
  loop.run();
  expect(done).toEqual(["at 1 1", "took 4 2", "at 3 3", "at 3 3", "at 5 5", "took 0 6", "took 1 6", "at 9 9"]);
});

describe("the advice", () => {
  const winners = { count: 1, p50Ms: 1, p95Ms: 1, p99Ms: 99.2, maxMs: 100 };
  const trial = (lanes: Trial["lanes"], turnedAway: number): Trial => ({ lanes, result: { turnedAway, gaveUp: 0, winners } });
  const within = "99 in 100 winners have their unit within 100 ms.";

  test.for<[off: number, auto: number, four: number, eight: number, sentence: string]>([
    [0, 0, 0, 0, `One object is enough. ${within}`],
    [9, 0, 5, 0, `LANES=auto will do, and so will 8 lanes. ${within}`],
    [9, 7, 5, 0, `LANES=8 will do. ${within} With LANES=auto, users are asked to come back 7 times.`],
    [9, 0, 5, 2, `LANES=auto will do. ${within}`],
    [
      9,
      7,
      5,
      2,
      "No setting will do: with LANES=8, users are asked to come back 2 times. Lower the rate, or split the sale over several coupons.",
    ],
  ])("turning away %i without lanes, %i with auto, %i with 4, %i with 8: %s", ([off, auto, four, eight, sentence]) => {
    expect(adviceOn([trial(0, off), trial("auto", auto), trial(4, four), trial(8, eight)]).sentence).toBe(sentence);
  });
});

test("the parts of a claim's cost are the differences of the measured times", () => {
  const measured = { edgeUs: 100, directUs: 320, batchUs: 20 };
  expect(costsFrom(measured)).toEqual({ workerUs: 100, callUs: 200, claimUs: 20, laneUs: 200, laneStartUs: 0 });
  expect(costsFrom({ ...measured, laneUs: 350 }).laneUs).toBe(230);
});

test("the price of a sale is usage times price list", () => {
  const usage = { workerRequests: 1e6, workerUs: 1_000, objectRequests: 2e6, objects: 2, seconds: 5e5 / 0.128, claims: 500_000 };
  expect(Object.values(priceOf(usage))).toEqual([0.3, 0.02, 0.3, 12.5, 1]);
});
