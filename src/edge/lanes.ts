// The way of a claim or a hold to its coupon: directly, or through a lane.

import { laneOf, lanesInUse } from "../domain/lanes.ts";
import type { LaneCalls } from "../domain/rpc.ts";
import { callCoupon, callThroughLane, type CallFailure } from "./coupon-calls.ts";
import type { Worker } from "./env.ts";
import { hintOf } from "./lane-hints.ts";
import { countOpen, openCount } from "./open-calls.ts";

/** Sends a claim or a hold of `userId`. A retry may deliver `call` more than once, so it must be repeatable. */
export async function callByAnyWay<Result extends { readonly ok: boolean; readonly code?: string; readonly seq: number }>(
  { env, location, onLane }: Worker,
  name: string,
  userId: string,
  call: (coupon: LaneCalls) => Promise<Result>,
): Promise<Result | CallFailure> {
  const { LANE_OBJECTS: namespace } = env;
  const now = Date.now();
  const laneCount = namespace === undefined ? 0 : lanesInUse(env.LANES, hintOf(name), openCount(name, now), now);
  const countEnd = countOpen(name, now);
  try {
    if (namespace === undefined || laneCount === 0) return await callCoupon(env, name, call, "repeatable");
    const near = location?.() ?? null;
    const lane = laneOf(userId, laneCount, near);
    onLane?.(lane);
    return await callThroughLane(env, name, { lane, location: near ?? env.LOCATION_HINT, namespace }, call);
  } finally {
    countEnd();
  }
}
