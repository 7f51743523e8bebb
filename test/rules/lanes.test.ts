// The rules of lanes: names, the lane of a user, when a lane flushes, and when a coupon asks for lanes.

import { expect, test } from "vitest";

import { LANE_BATCH_MAX, LANES_MAX } from "../../src/domain/lane-limits.ts";
import {
  couponOfLane,
  flushSize,
  laneHint,
  laneName,
  laneOf,
  nextCallAt,
  lanesInUse,
  trafficAt,
  type LaneSetting,
  type Traffic,
} from "../../src/domain/lanes.ts";
import { locationNear, type RequestOrigin } from "../../src/domain/location-hint.ts";

test.for(["a", "a#1", "#", "a#", "##3", "12"])("the lanes of coupon %j have names of their own that lead back to it", (coupon) => {
  const names = ["0", "1", "63", "weur1", "sam0"].map((lane) => laneName(coupon, lane));
  expect(names.map(couponOfLane)).toEqual(names.map(() => coupon));
  expect(new Set(names).size).toBe(names.length);
});

test.for<[origin: RequestOrigin, location: string | null]>([
  [{}, null],
  [{ continent: "EU", country: "PT", longitude: "-9.1" }, "weur"],
  [{ continent: "AF", country: "EG" }, "afr"],
  [{ continent: "AS", country: "JP", longitude: "139.7" }, "apac"],
  [{ continent: "AS", country: "AE", longitude: "55.3" }, "me"],
  [{ continent: "OC", country: "NZ" }, "oc"],
  [{ continent: "SA", country: "BR", longitude: "-118" }, "sam"],
  [{ continent: "NA", country: "US", longitude: "-122.4" }, "wnam"],
  [{ continent: "NA", country: "US", longitude: "-100" }, "enam"],
  [{ continent: "NA", country: "MX" }, "enam"],
  [{ continent: "NA", longitude: "west" }, "enam"],
  [{ continent: "AN" }, null],
  [{ continent: "T1", country: "T1" }, null],
  [{ continent: "constructor" }, null],
  [{ continent: ["EU"] }, null],
])("requests from %j get lanes near %s", ([origin, location]) => {
  expect(locationNear(origin)).toBe(location);
});

test("a user has the lane of the same number near every location", () => {
  expect([null, "weur" as const].map((location) => laneOf("ada", 16, location))).toEqual(["11", "weur11"]);
});

test("10,000 users spread evenly over lanes, each always to the same one", () => {
  for (const laneCount of [1, 2, 7, 16, LANES_MAX]) {
    const counts = Array.from({ length: laneCount }, () => 0);
    for (let user = 0; user < 10_000; user += 1) {
      const lane = Number(laneOf(`user-${user}`, laneCount, null));
      expect(Number(laneOf(`user-${user}`, laneCount, null))).toBe(lane);
      counts[lane] = (counts[lane] ?? NaN) + 1;
    }
    const mean = 10_000 / laneCount;
    for (const count of counts) expect(Math.abs(count - mean)).toBeLessThan(5 * Math.sqrt(mean));
  }
});

test.for<[waiting: number, calls: number, size: number]>([
  [0, 0, 0],
  [1, 0, 1],
  [LANE_BATCH_MAX, 0, LANE_BATCH_MAX],
  [LANE_BATCH_MAX + 1, 0, LANE_BATCH_MAX],
  [0, 1, 0],
  [LANE_BATCH_MAX - 1, 1, 0],
  [LANE_BATCH_MAX, 1, LANE_BATCH_MAX],
  [LANE_BATCH_MAX + 1, 1, LANE_BATCH_MAX],
  [LANE_BATCH_MAX + 1, 2, 0],
])("a lane with %i messages and %i calls in flight sends %i", ([waiting, calls, size]) => {
  expect(flushSize(waiting, calls)).toBe(size);
});

test.for<[perSecond: number, waiting: number, lanes: number]>([
  [0, 0, 0],
  [299.9, 0, 0],
  [0, 299, 0],
  [300, 0, 1],
  [500, 0, 1],
  [501, 0, 2],
  [100, 501, 2],
  [900, 501, 2],
  [3000, 0, 6],
  [8000, 0, 16],
  [16_000, 0, 32],
  [1_000_000, 8192, 32],
])("a coupon with %f arrivals a second and %i waiting messages asks for %i lanes", ([perSecond, waiting, lanes]) => {
  expect(laneHint(perSecond, waiting)).toEqual(lanes === 0 ? null : { count: lanes, forMs: 2000 });
});

test.for<[lastAt: number, now: number, callAt: number]>([
  [0, 10_000, 10_000],
  [9_995, 10_000, 10_000],
  [9_996, 10_000, 10_001],
  [10_000, 10_000, 10_005],
  [10_995, 10_000, 11_000],
  [99_000, 10_000, 11_000],
])("after a call promised for %i, a lane at %i may call again at %i", ([lastAt, now, callAt]) => {
  expect(nextCallAt(lastAt, now)).toBe(callAt);
});

test.for([
  ["near", 16, 10],
  ["all over the world", 144, 100],
])("busy lanes %s, %i with a way of %i ms, make 200 calls a second", ([, laneCount, wayMs]) => {
  const dueAt = Array.from({ length: Number(laneCount) }, () => 0);
  const calls: number[] = [];
  for (let now = 0, callAt = 0; now < 10_000; now += 1) {
    for (const [lane, at] of dueAt.entries()) {
      if (at > now) continue;
      calls.push(now);
      callAt = nextCallAt(callAt, now);
      dueAt[lane] = callAt + Number(wayMs);
    }
  }
  expect(calls.filter((at) => at >= 5_000)).toHaveLength(1_000);
});

test("the measured traffic approaches the true rate, and fades in seconds", () => {
  let traffic: Traffic = { perSecond: 0, at: 0 };
  for (let now = 0; now < 5000; now += 1) traffic = trafficAt(traffic, now, 2);
  expect(traffic.perSecond).toBeGreaterThan(1950);
  expect(traffic.perSecond).toBeLessThan(2010);
  expect(trafficAt(traffic, 5000 + 2000).perSecond).toBeLessThan(300);
  const setBack = trafficAt(traffic, 1000, 1);
  expect(setBack).toEqual({ perSecond: traffic.perSecond + 4, at: 1000 });
  expect(trafficAt(setBack, 1000 + 2000).perSecond).toBeLessThan(300);
});

const HINT = { count: 3, forMs: 2000, receivedAt: 10_000 };

test.for<[setting: LaneSetting, hasHint: boolean, openCount: number, now: number, lanes: number]>([
  ["auto", false, 0, 10_000, 0],
  ["auto", false, 7, 10_000, 0],
  ["auto", false, 8, 10_000, 1],
  ["auto", false, 31, 10_000, 3],
  ["auto", false, 9_999, 10_000, 32],
  ["auto", true, 7, 9_999, 0],
  ["auto", true, 7, 10_000, 3],
  ["auto", true, 31, 10_000, 3],
  ["auto", true, 32, 10_000, 4],
  ["auto", true, 0, 11_999, 3],
  ["auto", true, 0, 12_000, 0],
  ["auto", true, 8, 12_000, 1],
  [0, true, 8, 10_000, 0],
  [7, true, 8, 10_000, 7],
  [7, false, 0, 99_000, 7],
])("LANES %s, hint %s, %i open calls, at %i ms: %i lanes", ([setting, hasHint, open, now, lanes]) => {
  expect(lanesInUse(setting, hasHint ? HINT : null, open, now)).toBe(lanes);
});
