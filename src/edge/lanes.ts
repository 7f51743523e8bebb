// The way of a claim or a hold to its coupon: directly, or through a lane.

import { laneOf, lanesInUse } from "../domain/lanes.ts";
import type { LaneCalls } from "../domain/rpc.ts";
import { callThroughLanes, type CallFailure, type LaneTarget } from "./coupon-calls.ts";
import type { Worker } from "./env.ts";
import { hintOf } from "./lane-hints.ts";
import { countOpen, openCount } from "./open-calls.ts";

/** Sends a claim or a hold of `userId`. A retry may deliver `call` more than once, so it must be repeatable. */
export async function callByAnyWay<Result extends { readonly ok: boolean; readonly code?: string; readonly seq: number }>(
  worker: Worker,
  name: string,
  userId: string,
  call: (coupon: LaneCalls) => Promise<Result>,
): Promise<Result | CallFailure> {
  const { env, onLane } = worker;
  const countEnd = countOpen(name, Date.now());
  const laneNow = (): LaneTarget | null => {
    const target = laneFor(worker, name, userId);
    if (target !== null) onLane?.(target.lane);
    return target;
  };
  try {
    return await callThroughLanes(env, name, laneNow, call);
  } finally {
    countEnd();
  }
}

/** Returns the lane that an open claim or hold of `userId` takes now. Null if it goes to the coupon directly. */
function laneFor({ env, location }: Worker, name: string, userId: string): LaneTarget | null {
  const { LANE_OBJECTS: namespace } = env;
  if (namespace === undefined) return null;
  const now = Date.now();
  const otherCount = Math.max(0, openCount(name, now) - 1);
  const laneCount = lanesInUse(env.LANES, hintOf(name), otherCount, now);
  if (laneCount === 0) return null;
  const near = location?.() ?? null;
  return { lane: laneOf(userId, laneCount, near), location: near ?? env.LOCATION_HINT, namespace };
}
