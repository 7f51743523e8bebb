// The bounds of delivery, each with its unit, its reason, and what it prevents. The others are in limits.ts.

/**
 * Pause before each further attempt to deliver a webhook, in milliseconds. The last one repeats. A receiver that restarts loses
 * seconds. One that is down for a day costs nine attempts.
 */
export const WEBHOOK_PAUSES_MS = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800].map((seconds) => seconds * 1000);

/** Longest random part that a pause grows by. Prevents the couriers of many coupons from coming back to a receiver together. */
export const WEBHOOK_JITTER = 0.2;

/** How long an endpoint may fail before its messages are parked, in milliseconds. Three days cover a weekend. */
export const WEBHOOK_FAILING_MS_MAX = 3 * 86_400_000;

/** Deadline of one attempt to deliver a webhook, in milliseconds. Prevents a receiver that hangs from holding the courier. */
export const WEBHOOK_DEADLINE_MS = 10_000;

/** Most bytes that are read of a receiver's answer. Prevents a body without end. */
export const WEBHOOK_ANSWER_BYTES_MAX = 1024;

/** Most characters of a failed answer that the operator sees. */
export const WEBHOOK_ERROR_LENGTH_MAX = 200;

/** Length of a signing secret, in bytes. Standard Webhooks allows 24 to 64. */
export const WEBHOOK_SECRET_BYTES = 32;

/** Most webhooks. A courier reads the list at each run. Prevents a list that is slow to read. */
export const WEBHOOKS_MAX = 50;

/** Most coupons that one webhook names. Prevents a list of webhooks of more than about 1 MB. */
export const WEBHOOK_COUPONS_MAX = 100;

/** Longest URL of a webhook, in characters. Most servers accept it. Prevents unbounded rows. */
export const WEBHOOK_URL_LENGTH_MAX = 2048;

/** How long a secret signs after a rotation, in milliseconds. In this time the receivers change to the new one. */
export const WEBHOOK_ROTATION_MS = 86_400_000;

/** Most earlier secrets that sign. Each makes every webhook longer. Prevents headers that receivers refuse. */
export const WEBHOOK_SECRETS_PREVIOUS_MAX = 3;
