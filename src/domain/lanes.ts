// The rules of lanes: objects in front of a busy coupon that collect claims and holds and pass them on in batches.

import { LANE_BATCH_MAX, LANE_CALLS_MAX } from "./lane-limits.ts";

/** Returns the name of a lane's object. The last `#` separates, so each name belongs to one coupon. */
export function laneName(coupon: string, index: number): string {
  return `${coupon}#${index}`;
}

/** Returns the coupon of the lane with this name. */
export function couponOfLane(name: string): string {
  return name.slice(0, name.lastIndexOf("#"));
}

/** Returns the lane of a user, from 0 on: all requests of one user take the same one (FNV-1a). */
export function laneOf(userId: string, laneCount: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < userId.length; index += 1) hash = Math.imul(hash ^ userId.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % laneCount;
}

/**
 * Returns how many of the waiting messages a lane sends now, in one call. An idle lane sends at once. Otherwise
 * messages wait for the answer of the call before, unless they fill a batch.
 */
export function flushSize(waitingCount: number, callCount: number): number {
  if (callCount >= LANE_CALLS_MAX) return 0;
  if (callCount > 0 && waitingCount < LANE_BATCH_MAX) return 0;
  return Math.min(waitingCount, LANE_BATCH_MAX);
}
