// The bounds of health, metrics and sessions, each with its unit, its reason, and what it prevents. The others are in limits.ts.

/** Most coupons in the metrics of the service. Prevents a scrape of unbounded size. */
export const METRICS_COUPONS_MAX = 1000;

/** How long after a request its isolate reports to the meter, in milliseconds. Prevents a call for each request. */
export const METER_REPORT_MS = 10_000;

/** Deadline of a call of the meter, in milliseconds. */
export const METER_DEADLINE_MS = 3_000;

/**
 * Age at which an isolate drops a report without an acknowledgement, and how long the meter remembers an isolate, in
 * milliseconds. The second one is far longer, so that a late report is never added twice.
 */
export const METER_REPORT_AGE_MS_MAX = 3_600_000;
export const METER_MEMORY_MS = 86_400_000;

/** How long the viewers of a report count, in milliseconds: three reports. Prevents those of an ended isolate from staying. */
export const METER_VIEWERS_MS = 30_000;

/** Deadline of each check of the deep health, in milliseconds. Most monitors wait for 10 s. */
export const HEALTH_DEADLINE_MS = 3_000;

/** Most sales on the page at `/`, and the deadline of reading them, in milliseconds. Without them the page is still of use. */
export const HOME_SALES_MAX = 5;
export const HOME_SALES_DEADLINE_MS = 1_000;

/** Largest form of a login, in bytes: far more than a token and a name. Prevents a caller without one from filling the isolate. */
export const LOGIN_BODY_BYTES_MAX = 16 * 1024;

/** How long an operator's session lasts, in seconds: a day at work. Prevents a stolen cookie from lasting. */
export const SESSION_SECONDS = 43_200;

/**
 * Logins of one network in a window, and the window in seconds, as the binding in wrangler.toml has them. Prevents a
 * guess of a weak token.
 */
export const LOGINS_MAX = 5;
export const LOGIN_WINDOW_SECONDS = 60;

/** Longest hold that the sale page asks for, in seconds. A longer one keeps units from buyers who are there. */
export const PAGE_HOLD_SECONDS_MAX = 600;

/** How long the outcome of a claim by the form can be read, in seconds. It is a reload or two. */
export const OUTCOME_COOKIE_SECONDS = 300;
