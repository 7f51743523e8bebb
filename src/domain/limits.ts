// Every bound of the system, with its unit, its reason, and what it stops.

/** Longest `name` and `user_id`, in Unicode code points. The older services stored VARCHAR(255); stops unbounded keys. */
export const TEXT_CODE_POINTS_MAX = 255;

/** Most units of one coupon: a signed 32-bit integer, so that every client language can hold it. */
export const AMOUNT_MAX = 2_147_483_647;

/** Largest body of an operator route, in bytes. Stops a caller from filling the isolate's 128 MB. */
export const OPERATOR_BODY_BYTES_MAX = 1024 * 1024;

/**
 * Largest body of a claim or a hold, in bytes. Two texts of 255 code points, every one escaped as a surrogate pair (12 bytes),
 * take 6,120 bytes; the rest is room for fields that are ignored.
 */
export const CLAIM_BODY_BYTES_MAX = 16 * 1024;

/** Shortest and longest time that a unit may be held, in seconds. A day covers a checkout by bank transfer; stops a hold that is a claim in disguise. */
export const HOLD_TTL_SECONDS_MIN = 1;
export const HOLD_TTL_SECONDS_MAX = 86_400;

/** Claims on one page of the list, in rows: the most, and what is meant where nobody says. Stops answers of unbounded size. */
export const PAGE_SIZE_MAX = 1000;
export const PAGE_SIZE_DEFAULT = 100;

/** Claims fetched at once for an export, in rows. About 1 MB, far below the 32 MiB that fit into one RPC. */
export const EXPORT_PAGE_SIZE = 5000;

/** Claimants listed with a coupon in one answer of its object; more are fetched page by page. Stops a look from filling its 128 MB. */
export const CLAIMANTS_AT_ONCE_MAX = 10_000;

/**
 * Most users in one bulk claim. They share one transaction, a turn of some tens of milliseconds, and their longest ids fit into
 * {@link OPERATOR_BODY_BYTES_MAX} as UTF-8; as \\u escapes, 340 of them do.
 */
export const BULK_CLAIMS_MAX = 1000;

/** Rows from which on they are read or written by one statement, as JSON. Measured: below, one statement for each is quicker. */
export const ROWS_AT_ONCE_MIN = 8;

/**
 * Most rows in one such statement. A thousand of the largest rows are 1.6 MB of JSON, where a bound text may have 2 MB on Cloudflare.
 * Stops holds that all end at once from making a text that no storage takes.
 */
export const ROWS_AT_ONCE_MAX = 1000;

/** How long refusals may be counted in memory alone, in milliseconds. Stops a row written for each refusal. */
export const OUTCOMES_FLUSH_MS = 10_000;

/** First pause before an alarm that failed is tried again, and the longest, in milliseconds; doubled each time. */
export const ALARM_RETRY_MS_MIN = 1_000;
export const ALARM_RETRY_MS_MAX = 60_000;

/** Longest `Idempotency-Key` and `X-Request-Id`, in characters. Stops unbounded rows and log lines. */
export const HEADER_TOKEN_LENGTH_MAX = 255;

/**
 * Most claims in one transaction. A claim costs some tens of microseconds inside the object, so this is a turn of some
 * tens of milliseconds: a storm of claims doesn't starve those who only look.
 */
export const BATCH_SIZE_MAX = 512;

/**
 * Most claims waiting for a transaction; beyond it a claim is refused with `unavailable`. At 1,000 claims a second, where
 * Cloudflare's soft limit for one object is, the last one in still has its answer inside the caller's deadline. Stops a
 * queue that only grows.
 */
export const QUEUE_LENGTH_MAX = 8192;

/** How long the Worker waits for the object over all of its attempts, in milliseconds. Stops a hung call from hanging its caller. */
export const CALL_DEADLINE_MS = 10_000;

/** Further attempts after the first of one call to the object. Stops a retry storm on an object that is down. */
export const CALL_RETRIES_MAX = 2;

/** Pause before the second attempt of a call, in milliseconds, at most; drawn between half of it and it, and doubled for the third. */
export const RETRY_PAUSE_MS = 50;

/** What `Retry-After` says on `unavailable` and `outcome_unknown`, in seconds. */
export const RETRY_AFTER_SECONDS = 1;

/** Object ids that an isolate remembers, because computing one hashes the name. Stops a scan of names from filling its memory. */
export const ID_CACHE_SIZE_MAX = 4096;

/**
 * How long a sold-out certificate may be believed, in milliseconds. It is how late an isolate may notice a restock, a release,
 * an expiry or a deletion that did not pass through it.
 */
export const CERTIFICATE_MS_MAX = 1_000;

/** How long before its end a certificate is renewed, in milliseconds: longer than a call takes, so that refusals don't wait for it. */
export const CERTIFICATE_RENEWAL_MS = 250;

/** How long one request may take to renew a certificate before another one does, in milliseconds: the first may have left. */
export const CERTIFICATE_TAKEOVER_MS = 500;

/** Coupons that an isolate keeps certificates of, and their sets of members, in bytes. A part of its 128 MB. */
export const CERTIFICATES_MAX = 1024;
export const CERTIFICATES_BYTES_MAX = 8 * 1024 * 1024;

/** Members that a certificate lists one by one; beyond them it carries a Bloom filter. About as many bytes as the smallest useful filter. */
export const MEMBERS_EXACT_MAX = 256;

/** Bits of a Bloom filter for each member: with ten hashes, one in a thousand others seems to be one (ln 1000 / ln² 2 = 14.4). */
export const MEMBERSHIP_BITS_PER_TEXT = 14.4;

/** Smallest and largest Bloom filter, in bytes. The largest holds 145,635 members; a coupon with more hands out no certificate. */
export const MEMBERSHIP_BYTES_MIN = 1024;
export const MEMBERSHIP_BYTES_MAX = 256 * 1024;

/** Ledger events that are read for a certificate at once. Stops the first one of a large sale from holding up its claims. */
export const CERTIFIER_ROWS_MAX = 5_000;

/** The period of the rate-limit bindings in wrangler.toml, in seconds. The platform takes 10 or 60. */
export const RATE_LIMIT_WINDOW_SECONDS = 10;

/** How long fetched identity keys are used, in milliseconds. An issuer's revoked key is refused after it. */
export const JWKS_TTL_MS = 300_000;

/** How long they are used while the issuer can't be reached, in milliseconds. Then nobody is let in on an old key's word. */
export const JWKS_STALE_MS_MAX = 3_600_000;

/** Shortest time between two fetches of identity keys, in milliseconds. Once some are known, stops tokens with made-up key ids from causing fetches. */
export const JWKS_REFRESH_MS_MIN = 10_000;

/** How long the Worker waits for the identity keys, in milliseconds. */
export const JWKS_DEADLINE_MS = 3_000;

/** Shortest time between two looks at a coupon for all of an isolate's viewers, in milliseconds. Keeps viewers off the claim path. */
export const SNAPSHOT_REFRESH_MS = 1_000;

/** How long one viewer's look may take before another viewer looks instead, in milliseconds: the first may have left. */
export const SNAPSHOT_TAKEOVER_MS = 3_000;

/** Coupons of which an isolate remembers the last look for newcomers. Stops a scan of names from filling its memory. */
export const FIRST_LOOKS_MAX = 1024;

/** How often a viewer who arrives looks whether the look that it waits for has come, in milliseconds: longer than most looks take. */
export const SNAPSHOT_WAIT_MS = 25;

/**
 * Looks at a coupon that one viewer's stream takes before it ends and the viewer comes back. Each is a subrequest of the
 * viewer's request, of which Cloudflare's free plan allows 50; a stream that has none left would see nothing any more.
 */
export const STREAM_LOOKS_MAX = 40;

/** How long a coupon is kept in mind that no stream has asked for, in milliseconds: a viewer can vanish without a word. */
export const SNAPSHOT_IDLE_MS = 10_000;

/** How often a viewer's stream looks for news in its isolate, in milliseconds. */
export const STREAM_TICK_MS = 250;

/** Longest silence of a stream, in milliseconds; then a comment keeps proxies from closing it. Common idle limits are 30 s and up. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** When a viewer whose stream broke should come back, in milliseconds. */
export const STREAM_RETRY_MS = 2_000;
