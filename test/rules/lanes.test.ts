// The rules of lanes: names, the lane of a user, and when a lane flushes.

import { expect, test } from "vitest";

import { LANE_BATCH_MAX, LANES_MAX } from "../../src/domain/lane-limits.ts";
import { couponOfLane, flushSize, laneName, laneOf } from "../../src/domain/lanes.ts";

test.for(["a", "a#1", "#", "a#", "##3", "12"])("the lanes of coupon %j have names of their own that lead back to it", (coupon) => {
  const names = [0, 1, 63].map((index) => laneName(coupon, index));
  expect(names.map(couponOfLane)).toEqual([coupon, coupon, coupon]);
  expect(new Set(names).size).toBe(3);
});

test("10,000 users spread evenly over lanes, each always to the same one", () => {
  for (const laneCount of [1, 2, 7, 16, LANES_MAX]) {
    const counts = Array.from({ length: laneCount }, () => 0);
    for (let user = 0; user < 10_000; user += 1) {
      const lane = laneOf(`user-${user}`, laneCount);
      expect(laneOf(`user-${user}`, laneCount)).toBe(lane);
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
