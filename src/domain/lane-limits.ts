// The bounds of lanes, each with its unit, its reason, and what it prevents.

import { BATCH_SIZE_MAX, CALL_DEADLINE_MS, MAILBOX_LENGTH_MAX } from "./limits.ts";

/** Most messages in one call of a lane: those of one transaction of the coupon. */
export const LANE_BATCH_MAX = BATCH_SIZE_MAX;

/**
 * Most calls of one lane at once. The second one begins only with a full batch. So a lane makes about one call in
 * each round trip, 30 to 60 a second, whatever number of claims it carries.
 */
export const LANE_CALLS_MAX = 2;

/**
 * The time between two calls of all lanes of a rush, in milliseconds: 200 a second. Prevents the lanes of all
 * continents together from reaching the thousand calls that one object takes.
 */
export const LANE_CALL_EVERY_MS = 5;

/**
 * Longest pause of a lane between two calls, in milliseconds. Enough for 22 lanes near each of 9 locations. With 32
 * near each, all make 288 calls a second. Prevents a clock that is set back from stopping a lane.
 */
export const LANE_PAUSE_MS_MAX = 1_000;

/**
 * Up to so many lanes need no pause: near the coupon they make less than 200 calls a second by themselves. So only a
 * rush of more than 3,000 claims a second pays for pauses.
 */
export const LANES_WITHOUT_PAUSE_MAX = 6;

/** Most messages that wait in a lane, as in a mailbox. Beyond them a message is refused with `unavailable`. */
export const LANE_LENGTH_MAX = MAILBOX_LENGTH_MAX;

/**
 * Deadline of a lane's call, in milliseconds. After two of them, a caller still has time for its last attempt, which takes
 * no lane. Prevents a lost answer from blocking the lane.
 */
export const LANE_DEADLINE_MS = 0.3 * CALL_DEADLINE_MS;

/** Most lanes of one coupon. Prevents a typing error in `LANES` from making hundreds of objects. */
export const LANES_MAX = 64;

/**
 * From how many claims and holds a second on a coupon asks for lanes. Cloudflare's guidance for an object that writes
 * is 200 to 500 requests a second.
 */
export const LANES_FROM_PER_SECOND = 300;

/**
 * Open calls of an isolate for each lane that it uses, whatever the hint: the first answer with a hint would come too
 * late. In the simulation of 100,000 users a second without a warning (`npm run plan`), 16 are too many. A hundred
 * isolates then put 1,600 calls before the coupon, and users are turned away. A quiet coupon answers before an isolate
 * has eight open calls.
 */
export const OPEN_CALLS_PER_LANE = 8;

/**
 * Claims and holds a second for each lane: half of what Cloudflare gives an object, which leaves room for uneven
 * hashes and a rate that still grows. A flush of 30 ms lets a lane make about 33 calls a second. So 6 lanes make less
 * than 200 calls a second at 3,000 claims a second. From there on the coupon spaces the calls.
 */
export const CLAIMS_PER_LANE = 500;

/**
 * Most lanes that a coupon asks for: each takes a thousand claims a second. In the simulation of 500,000 users in one
 * second (`npm run plan`), 16 turn users away and 32 turn none away. With 64, users without a unit wait longer.
 */
export const LANES_AUTO_MAX = 32;

/**
 * The rate is that of the arrivals in about so many milliseconds. Lanes that fill hide the true rate, so the hint must
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
