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
