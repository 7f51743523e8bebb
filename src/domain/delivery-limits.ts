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

/**
 * Most coupons that a filtered list reads for one page. With the longest texts they take 10 MB. Prevents a filter that fits none
 * from reading the whole table.
 */
export const FILTERED_ROWS_MAX = 1000;

/** Buckets of a timeline: the most, and the default. A chart has about as many pixels. Prevents answers of unbounded size. */
export const TIMELINE_BUCKETS_MAX = 1000;
export const TIMELINE_BUCKETS_DEFAULT = 200;

/** Shortest time between two notices of a coupon to its courier, in milliseconds. Prevents a call for each claim. */
export const NOTICE_MS_MIN = 1_000;

/**
 * When a coupon's alarm repeats a notice that a crash has prevented, in milliseconds. The alarm is set once in this time,
 * so that claims do not set one each.
 */
export const NOTICE_ALARM_MS = 60_000;

/**
 * Events that a courier reads at once. They cost the coupon's object some milliseconds. Each of 50 endpoints can keep a page:
 * measured, 5 MB, and 30 MB with the longest ids, of the object's 128 MB.
 */
export const DELIVERY_PAGE_SIZE = 500;

/**
 * How long one call of a courier delivers to one sink, in milliseconds, the most pages that it reads, and the most messages
 * that it sends. Cloudflare allows 1,000 outgoing requests in a call. The next call reads the list of endpoints again.
 */
export const DELIVERY_MS_MAX = 10_000;
export const DELIVERY_PAGES_PER_CALL_MAX = 100;
export const WEBHOOK_MESSAGES_PER_CALL_MAX = 500;

/** Most steps of a webhook sink that are delivered and not stored. A crash repeats them. Prevents a flush for each message. */
export const WEBHOOK_CHECKPOINT_STEPS = 100;

/** How long a courier waits for the list of endpoints, and for one call of the coupon, in milliseconds. */
export const ENDPOINTS_MS_MAX = 2_000;
export const OUTBOX_MS_MAX = 10_000;

/** When a delivery counts as hanging, in milliseconds: {@link DELIVERY_MS_MAX}, and a database that answers at its limit. */
export const DELIVERY_HANGS_MS = 60_000;

/**
 * When a courier's alarm looks after work that a crash has interrupted, in milliseconds. It is longer than
 * {@link DELIVERY_MS_MAX}.
 */
export const COURIER_ALARM_MS = 30_000;

/** Most events that one `erased` event lists. Prevents rows and pages of unbounded size. */
export const ERASED_EVENTS_LISTED_MAX = 500;

/** Most coupons in which one request erases a user. Cloudflare allows 1,000 calls in a request. */
export const ERASED_COUPONS_AT_ONCE_MAX = 50;

/** Longest time between two attempts to write the read model, or to read the coupon, in milliseconds. */
export const OWN_RETRY_MS_MAX = 60_000;

/**
 * How often a courier looks whether an endpoint receives again that is paused or disabled and lacks events, in milliseconds. In
 * between, as long as it has been off. After {@link WEBHOOK_FAILING_MS_MAX} it stops. Prevents the events of an idle coupon from
 * waiting for the next one.
 */
export const ENDPOINT_LOOK_MS_MIN = 60_000;
export const ENDPOINT_LOOK_MS_MAX = 3_600_000;

/** Most couriers that are woken when an endpoint is enabled again. Cloudflare allows 1,000 calls in a request. */
export const COURIERS_WOKEN_MAX = 500;

/**
 * Longest time until a courier's alarm, in milliseconds: a year. A sale can start in the year 9999, but workerd counts in
 * nanoseconds, and an alarm after the year 2262 overflows. Measured: such an alarm stops the whole process.
 */
export const COURIER_PAUSE_MS_MAX = 365 * 86_400_000;

/** Shortest time until a courier's alarm, in milliseconds. Prevents a loop where two clocks differ. */
export const COURIER_PAUSE_MS_MIN = 250;

/**
 * Most rows that one statement erases from D1. D1 ends a statement after 30 seconds. Prevents the deletion of a large
 * coupon from failing for ever.
 */
export const ERASED_AT_ONCE_MAX = 10_000;
