// The rules of lanes: objects in front of a busy coupon that collect claims and holds and pass them on in batches.

import type { Instant } from "./coupon.ts";
import {
  CLAIMS_PER_LANE,
  LANE_BATCH_MAX,
  LANE_CALL_EVERY_MS,
  LANE_CALLS_MAX,
  LANE_HINT_MS,
  LANE_PAUSE_MS_MAX,
  LANES_AUTO_MAX,
  LANES_FROM_PER_SECOND,
  OPEN_CALLS_PER_LANE,
  TRAFFIC_MS,
} from "./lane-limits.ts";
import type { LocationHint } from "./location-hint.ts";

/** Returns the name of a lane's object. The last `#` separates, so each name belongs to one coupon. */
export function laneName(coupon: string, lane: string): string {
  return `${coupon}#${lane}`;
}

/** Returns the coupon of the lane with this name. */
export function couponOfLane(name: string): string {
  return name.slice(0, name.lastIndexOf("#"));
}

/**
 * Returns the lane of a user, such as `3`, or `weur3` of the lanes near `location`. All requests of one user from one
 * location take the same one (FNV-1a).
 */
export function laneOf(userId: string, laneCount: number, location: LocationHint | null): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < userId.length; index += 1) hash = Math.imul(hash ^ userId.charCodeAt(index), 0x01000193);
  return `${location ?? ""}${(hash >>> 0) % laneCount}`;
}

/**
 * Returns how many of the waiting messages a lane sends now, in one call. An idle lane sends at once. Otherwise
 * messages wait for the end of the call before, unless they fill a batch. A call ends with its pause.
 */
export function flushSize(waitingCount: number, callCount: number): number {
  if (callCount >= LANE_CALLS_MAX) return 0;
  if (callCount > 0 && waitingCount < LANE_BATCH_MAX) return 0;
  return Math.min(waitingCount, LANE_BATCH_MAX);
}

/** A busy coupon asks isolates to use `count` lanes for `forMs` milliseconds. */
export type LaneHint = { readonly count: number; readonly forMs: number };

/**
 * Returns when the lane that has just called may call again. Each lane gets an instant of its own, behind `lastAt`, the
 * last one that a lane got. So the number of lanes does not change the number of calls.
 */
export function nextCallAt(lastAt: Instant, now: Instant): Instant {
  return Math.min(Math.max(now, lastAt + LANE_CALL_EVERY_MS), now + LANE_PAUSE_MS_MAX);
}

/** How many claims and holds a second arrive, as measured at `at`. */
export type Traffic = { readonly perSecond: number; readonly at: Instant };

/** Returns the traffic at `now`, after `count` more arrivals. Older ones fade away. A step back of the clock fades none. */
export function trafficAt({ perSecond, at }: Traffic, now: Instant, count = 0): Traffic {
  const agedMs = Math.max(0, now - at);
  return { perSecond: perSecond * Math.exp(-agedMs / TRAFFIC_MS) + (count * 1000) / TRAFFIC_MS, at: now };
}

/** Returns the hint of a coupon with this traffic and so many waiting messages, or null if it is not busy. */
export function laneHint(perSecond: number, waitingCount: number): LaneHint | null {
  // Waiting messages want to be judged within a second.
  const demand = Math.max(perSecond, waitingCount);
  if (demand < LANES_FROM_PER_SECOND) return null;
  return { count: Math.min(Math.ceil(demand / CLAIMS_PER_LANE), LANES_AUTO_MAX), forMs: LANE_HINT_MS };
}

/** How many lanes are used: a fixed number, or those that coupons ask for. */
export type LaneSetting = number | "auto";
/** A hint in an isolate, with the instant at which it came. */
export type HeldHint = LaneHint & { readonly receivedAt: Instant };

/**
 * Returns how many lanes an isolate uses for a coupon at `now`, while `openCount` of its own calls have no answer. With
 * 0 lanes, it calls the coupon directly. Many open calls mean a rush: the first answer with a hint is still on the way.
 */
export function lanesInUse(setting: LaneSetting, hint: HeldHint | null, openCount: number, now: Instant): number {
  if (setting !== "auto") return setting;
  const ofCalls = Math.min(Math.floor(openCount / OPEN_CALLS_PER_LANE), LANES_AUTO_MAX);
  const ageMs = hint === null ? -1 : now - hint.receivedAt;
  return hint !== null && ageMs >= 0 && ageMs < hint.forMs ? Math.max(hint.count, ofCalls) : ofCalls;
}
