// The bounds of lanes, each with its unit, its reason, and what it prevents.

import { BATCH_SIZE_MAX, CALL_DEADLINE_MS, MAILBOX_LENGTH_MAX } from "./limits.ts";

/** Most messages in one call of a lane: those of one transaction of the coupon. */
export const LANE_BATCH_MAX = BATCH_SIZE_MAX;

/**
 * Most calls of one lane at once. The second one begins only with a full batch. So a lane makes about one call in
 * each round trip, 30 to 60 a second, whatever number of claims it carries.
 */
export const LANE_CALLS_MAX = 2;

/** Most messages that wait in a lane, as in a mailbox. Beyond them a message is refused with `unavailable`. */
export const LANE_LENGTH_MAX = MAILBOX_LENGTH_MAX;

/**
 * Deadline of a lane's call, in milliseconds. Half of the caller's own, so that its retry has time. Prevents a lost
 * answer from blocking the lane.
 */
export const LANE_DEADLINE_MS = CALL_DEADLINE_MS / 2;

/** Most lanes of one coupon. Prevents a typing error in `LANES` from making hundreds of objects. */
export const LANES_MAX = 64;

/**
 * From how many claims and holds a second on a coupon asks for lanes. Cloudflare's guidance for an object that writes
 * is 200 to 500 requests a second.
 */
export const LANES_FROM_PER_SECOND = 300;

/**
 * Claims and holds a second for each lane: half of what Cloudflare gives an object, which leaves room for uneven
 * hashes and a rate that still grows. A flush of 30 ms lets a lane make about 33 calls a second. So the coupon gets
 * less than 200 calls a second up to 3,000 claims a second, and about 500 with 16 lanes.
 */
export const CLAIMS_PER_LANE = 500;

/**
 * Most lanes that a coupon asks for: each takes a thousand claims a second. In the simulation of 500,000 users in one
 * second (`npm run plan`), 16 turn users away, 32 turn none away, and 64 make all others wait longer.
 */
export const LANES_AUTO_MAX = 32;

/**
 * The arrivals of about this long make the rate, in milliseconds. Lanes that fill hide the true rate, so the hint must
 * grow before they do. In the simulation of a rush that grows, a second is too late, and users are turned away.
 */
export const TRAFFIC_MS = 250;

/**
 * How long an isolate follows a hint, in milliseconds. Longer than the pause between two answers of a rush, and than
 * the time between the last certificate before a start and the first claim after it.
 */
export const LANE_HINT_MS = 2_000;

/** Most coupons whose hint an isolate keeps. Prevents a scan of names from filling memory. */
export const LANE_HINTS_MAX = 1024;
