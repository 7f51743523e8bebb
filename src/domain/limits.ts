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

/**
 * Shortest and longest time that a unit may be held, in seconds, and a coupon's own maximum unless its operator sets another. A
 * quarter of an hour is a checkout; a day covers one by bank transfer. Stops a hold that is a claim in disguise.
 */
export const HOLD_TTL_SECONDS_MIN = 1;
export const HOLD_TTL_SECONDS_MAX = 86_400;
export const HOLD_SECONDS_MAX_DEFAULT = 900;

/** Claims on one page of the list, in rows: the most, and the default. Stops answers of unbounded size. */
export const PAGE_SIZE_MAX = 1000;
export const PAGE_SIZE_DEFAULT = 100;

/** Claims fetched at once for an export, in rows. About 1 MB, far below the 32 MiB that fit into one RPC. */
export const EXPORT_PAGE_SIZE = 5000;

/** Claimants listed with a coupon in one answer of its object; more are fetched page by page. Stops a read from filling its 128 MB. */
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

/** How long claim counts may stay in memory alone, in milliseconds. Stops a row written for each refusal. */
export const COUNTS_FLUSH_MS = 5_000;

/** Holds that the operator ends with one message. Stops the end of a million holds from being one transaction. */
export const HOLDS_ENDED_AT_ONCE_MAX = 1000;

/** First pause before an alarm that failed is tried again, and the longest, in milliseconds; doubled each time. */
export const ALARM_RETRY_MS_MIN = 1_000;
export const ALARM_RETRY_MS_MAX = 60_000;

/** Longest `Idempotency-Key` and `X-Request-Id`, in characters. Stops unbounded rows and log lines. */
export const HEADER_TOKEN_LENGTH_MAX = 255;

/**
 * Most messages in one transaction. A claim costs some tens of microseconds inside the object, so this is a turn of some
 * tens of milliseconds: a storm of claims doesn't starve the reads.
 */
export const BATCH_SIZE_MAX = 512;

/**
 * Most messages in a coupon's mailbox; beyond it a message is refused with `unavailable`. At 1,000 claims a second, where
 * Cloudflare's soft limit for one object is, the last message that fits is answered inside the caller's deadline. Stops a
 * queue that only grows.
 */
export const MAILBOX_LENGTH_MAX = 8192;

/**
 * While a flush is in flight, the next batch starts once its oldest message has waited this part of a flush. Simulated against
 * "after the flush": a mean wait of 1.17 flushes instead of 1.5, for 8 % more rows.
 */
export const BATCH_WAIT_PER_FLUSH = 0.25;

/** Bounds of that wait, in milliseconds: a timer's resolution, and a flush of one second, which Cloudflare sometimes takes. */
export const BATCH_WAIT_MS_MIN = 1;
export const BATCH_WAIT_MS_MAX = 250;

/** What a flush is believed to take before the first one was measured, in milliseconds: what Cloudflare takes most often. */
export const FLUSH_MS_INITIAL = 40;

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
 * Longest validity of a certificate, in milliseconds, from its request on. It is how long an operator's change of a closed sale
 * may have to wait, and it bounds the object to one certificate a second for each isolate.
 */
export const CERTIFICATE_MS_MAX = 1_000;

/**
 * How long the object takes a certificate to be in use behind its validity, in milliseconds, and how long before a window edge it
 * ends. Covers what an isolate's clock may be set back, and what it may run slower than the object's.
 */
export const LEASE_MARGIN_MS = 100;

/** The part of its validity after which a certificate is renewed, at least and at most: drawn for each, so that isolates spread. */
export const CERTIFICATE_RENEWAL_MIN = 0.5;
export const CERTIFICATE_RENEWAL_MAX = 0.75;

/** Shortest pause before an isolate requests a certificate again that it was not given, in milliseconds; up to twice that is drawn. */
export const CERTIFICATE_RETRY_MS = 100;

/** How long a request for a certificate may take before another visitor's request starts one, in milliseconds: the first was cut off. */
export const CERTIFICATE_TAKEOVER_MS = 3_000;

/** Coupons that an isolate keeps certificates of, and their bypass sets, in bytes. A part of its 128 MB. */
export const CERTIFICATES_MAX = 1024;
export const CERTIFICATES_BYTES_MAX = 8 * 1024 * 1024;

/** Members that a bypass set lists one by one; beyond them it is a Bloom filter. About as many bytes as the smallest useful filter. */
export const EXACT_MEMBERS_MAX = 256;

/** Bits of a Bloom filter for each member: with ten hashes, one in a thousand others seems to be one (ln 1000 / ln² 2 = 14.4). */
export const BLOOM_BITS_PER_MEMBER = 14.4;

/**
 * Smallest and largest Bloom filter, in bytes. The largest holds 1,165,000 members with one false positive in a thousand, two
 * million with one in forty: a false positive costs a hop.
 */
export const BLOOM_BYTES_MIN = 1024;
export const BLOOM_BYTES_MAX = 2 * 1024 * 1024;

/** Rows that are read for a bypass set in one message. Stops the first certificate of a large sale from holding up its claims. */
export const BYPASS_ROWS_MAX = 5_000;

/** The period of the rate-limit bindings in wrangler.toml, in seconds. The platform takes 10 or 60. */
export const RATE_LIMIT_WINDOW_SECONDS = 10;

/** How long fetched identity keys are used, in milliseconds. An issuer's revoked key is refused after it. */
export const JWKS_TTL_MS = 300_000;

/** How long they are used while the issuer can't be reached, in milliseconds. After that no old key is valid. */
export const JWKS_STALE_MS_MAX = 3_600_000;

/** Shortest time between two fetches of identity keys, in milliseconds. Once some are known, stops tokens with made-up key ids from causing fetches. */
export const JWKS_REFRESH_MS_MIN = 10_000;

/** How long the Worker waits for the identity keys, in milliseconds. */
export const JWKS_DEADLINE_MS = 3_000;

/** How old what an isolate shows of a coupon may be, in milliseconds. Keeps viewers off the claim path. */
export const SNAPSHOT_MS_MAX = 1_000;

/** How long a read for all viewers may take before another viewer reads instead, in milliseconds: the first may have left. */
export const SNAPSHOT_TAKEOVER_MS = 3_000;

/** Coupons of which an isolate remembers the ledger head. Stops a scan of names from filling its memory. */
export const HEADS_MAX = 4096;

/** Coupons of which an isolate keeps what it shows. Stops a scan of names from filling its memory. */
export const SNAPSHOTS_MAX = 1024;

/** How often a viewer checks whether another viewer's read has come, in milliseconds: longer than most reads take. */
export const SNAPSHOT_POLL_MS = 25;

/**
 * Reads of a coupon by one viewer's stream before it ends and the viewer reconnects. Each is a subrequest of the
 * viewer's request, of which Cloudflare's free plan allows 50; a stream that has none left would see nothing any more.
 */
export const STREAM_READS_MAX = 40;

/** How often a viewer's stream checks its isolate for a newer snapshot, in milliseconds. */
export const STREAM_TICK_MS = 250;

/** Longest silence of a stream, in milliseconds; then a comment keeps proxies from closing it. Common idle limits are 30 s and up. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** When a viewer whose stream broke should come back, in milliseconds. */
export const STREAM_RETRY_MS = 2_000;
