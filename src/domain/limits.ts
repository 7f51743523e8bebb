// All bounds of the system, each with its unit, its reason, and what it prevents.

/**
 * Longest `name` and `user_id`, in code points. The older services stored VARCHAR(255). Prevents unbounded
 * keys.
 */
export const TEXT_CODE_POINTS_MAX = 255;

/** Longest `title`, in code points: as of a name, in whose place it is shown. */
export const TITLE_CODE_POINTS_MAX = TEXT_CODE_POINTS_MAX;

/** Longest `description`, in code points: 300 words. A transaction of claims rewrites the row that has it. */
export const DESCRIPTION_CODE_POINTS_MAX = 2000;

/** Longest `image_url`, in characters. Prevents unbounded rows. */
export const IMAGE_URL_LENGTH_MAX = 1024;

/** Most units of one coupon: the largest signed 32-bit integer, which every client language has. */
export const AMOUNT_MAX = 2_147_483_647;

/** Largest body of an operator route, in bytes. Prevents a caller from filling the isolate's 128 MB. */
export const OPERATOR_BODY_BYTES_MAX = 1024 * 1024;

/**
 * Largest body of a claim or a hold, in bytes. Two texts of 255 code points take 6,120 bytes if each code
 * point is escaped as a surrogate pair (12 bytes). The rest is room for fields that are ignored.
 */
export const CLAIM_BODY_BYTES_MAX = 16 * 1024;

/**
 * Most bytes that are read of a body in chunks, too large ones included. Cloudflare itself takes 100 MB.
 * Prevents a body without end.
 */
export const DISCARDED_BYTES_MAX = 100 * 1024 * 1024;

/**
 * Shortest and longest hold, in seconds, and the default of a coupon's own maximum. A quarter of an hour
 * covers a checkout. A day covers a bank transfer. Prevents holds without end.
 */
export const HOLD_TTL_SECONDS_MIN = 1;
export const HOLD_TTL_SECONDS_MAX = 86_400;
export const HOLD_SECONDS_MAX_DEFAULT = 900;

/** Longest `X-Actor`, in characters. The ledger stores it with each event of an operator. */
export const ACTOR_LENGTH_MAX = 64;

/** Rows on one page of a list: the most, and the default. Prevents answers of unbounded size. */
export const PAGE_SIZE_MAX = 1000;
export const PAGE_SIZE_DEFAULT = 100;

/** Rows that an export fetches at once. They take about 1 MB. One RPC can carry 32 MiB. */
export const EXPORT_PAGE_SIZE = 5000;

/**
 * Most claimants that the object lists in one answer. If there are more, the Worker fetches them page by
 * page. Prevents a read from filling the object's 128 MB.
 */
export const CLAIMANTS_AT_ONCE_MAX = 10_000;

/**
 * Most users in one bulk claim. Their transaction blocks the object for some tens of milliseconds. As UTF-8,
 * this many of the longest ids fit into {@link OPERATOR_BODY_BYTES_MAX}. As \\u escapes, 340 fit.
 */
export const BULK_CLAIMS_MAX = 1000;

/**
 * Most faults that one refusal lists. A body of {@link OPERATOR_BODY_BYTES_MAX} can have 150,000 unknown
 * fields, and a person corrects at most a screen of them at once.
 */
export const FAULTS_MAX = 100;

/** Fewest rows that share one statement, as JSON. Measured: for fewer rows, single statements are quicker. */
export const ROWS_AT_ONCE_MIN = 8;

/**
 * Most rows in one such statement. A thousand of the largest rows are 1.6 MB of JSON. On Cloudflare a bound
 * text may have 2 MB. Prevents many holds that expire at once from exceeding that limit.
 */
export const ROWS_AT_ONCE_MAX = 1000;

/**
 * Most events with a sale's texts in one statement, and on one page of delivery. As JSON in JSON one takes up
 * to 13 KB. Prevents texts of 2 MB, and 50 endpoints whose pages fill the courier's memory.
 */
export const TEXT_EVENTS_AT_ONCE_MAX = 50;

/** How long claim counts may stay in memory only, in milliseconds. Prevents a write for each refusal. */
export const COUNTS_FLUSH_MS = 5_000;

/** Most holds that one message releases. Prevents one transaction that releases a million holds. */
export const HOLDS_ENDED_AT_ONCE_MAX = 1000;

/** First and longest pause before a failed alarm runs again, in milliseconds. Each pause doubles. */
export const ALARM_RETRY_MS_MIN = 1_000;
export const ALARM_RETRY_MS_MAX = 60_000;

/** Longest `Idempotency-Key` and `X-Request-Id`, in characters. Prevents unbounded rows and log lines. */
export const HEADER_TOKEN_LENGTH_MAX = 255;

/**
 * Most messages in one transaction. A claim costs some tens of microseconds inside the object. So a batch
 * blocks the object for some tens of milliseconds, as a bulk claim, and many claims do not starve the reads.
 */
export const BATCH_SIZE_MAX = 1000;

/**
 * Most messages in a coupon's mailbox. When it is full, a message is refused with `unavailable`. Cloudflare's
 * soft limit for one object is 1,000 requests a second. At that rate the last message in a full mailbox is
 * answered within the caller's deadline. A full batch starts at once, so claims alone do not fill a mailbox.
 * Prevents a queue that grows without end.
 */
export const MAILBOX_LENGTH_MAX = 8192;

/**
 * While a flush is in flight, the next batch starts when its oldest message has waited this part of a flush.
 * In a simulation, the mean wait was 1.17 flushes, for 8 % more rows. With "start after the flush" it was 1.5
 * flushes.
 */
export const BATCH_WAIT_PER_FLUSH = 0.25;

/**
 * Bounds of that wait, in milliseconds. The lower one is the resolution of a timer. The upper one belongs to
 * a flush of one second, which Cloudflare sometimes takes.
 */
export const BATCH_WAIT_MS_MIN = 1;
export const BATCH_WAIT_MS_MAX = 250;

/** Assumed length of a flush before one is measured, in milliseconds. Cloudflare's typical value. */
export const FLUSH_MS_INITIAL = 40;

/** Deadline of a call to the object with all retries, in milliseconds. Prevents endless requests. */
export const CALL_DEADLINE_MS = 10_000;

/** Most retries of one call to the object. Prevents a retry storm on an object that is down. */
export const CALL_RETRIES_MAX = 2;

/**
 * Longest pause before the first retry of a call, in milliseconds. The pause is random, and at least half of
 * this. The second retry doubles it.
 */
export const RETRY_PAUSE_MS = 50;

/** The `Retry-After` of `unavailable` and `outcome_unknown`, in seconds. */
export const RETRY_AFTER_SECONDS = 1;

/** Longest `Retry-After`, in seconds. Some clients ignore a longer one, or overflow a 32-bit timer. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/** Most object ids in an isolate's cache. Prevents a scan of names from filling memory. */
export const ID_CACHE_SIZE_MAX = 4096;

/**
 * Longest validity of a certificate, in milliseconds, counted from its request. An operator's change of a
 * closed sale may wait this long. Each isolate requests about one certificate in this time.
 */
export const CERTIFICATE_MS_MAX = 1_000;

/**
 * How long the object assumes a certificate to be in use after its validity, in milliseconds. A certificate
 * also ends this long before a window edge. Covers an isolate's clock that is set back or runs slower than
 * the object's.
 */
export const LEASE_MARGIN_MS = 100;

/** A certificate is renewed after a random part of its validity, so that isolates do not renew together. */
export const CERTIFICATE_RENEWAL_MIN = 0.5;
export const CERTIFICATE_RENEWAL_MAX = 0.75;

/** Pause after a request that returned no certificate, in milliseconds. It is random, up to twice this. */
export const CERTIFICATE_RETRY_MS = 100;

/** Age at which a running request for a certificate counts as lost, in milliseconds. */
export const CERTIFICATE_TAKEOVER_MS = 3_000;

/**
 * How long an isolate waits before it reports refused claims, in milliseconds. Longer than the time between
 * two renewals, which take the counts with them. So a rush costs no call for them, and its end costs one.
 */
export const REFUSALS_REPORT_MS = 1_000;

/** Most coupons whose refused claims an isolate counts. Prevents a scan of names from filling memory. */
export const REFUSALS_MAX = 1024;

/** Most certificates in an isolate, and most bytes of their bypass sets. A part of its 128 MB. */
export const CERTIFICATES_MAX = 1024;
export const CERTIFICATES_BYTES_MAX = 8 * 1024 * 1024;

/** Most members of an exact bypass set. They take about as many bytes as the smallest useful filter. */
export const EXACT_MEMBERS_MAX = 256;

/** Bits of a Bloom filter for each member. They give 0.1 % of false positives: ln 1000 / ln² 2 = 14.4. */
export const BLOOM_BITS_PER_MEMBER = 14.4;

/**
 * Smallest and largest Bloom filter, in bytes. The largest holds 1,165,000 members with one false positive in
 * a thousand, or two million with one in forty. A false positive costs a call of the object.
 */
export const BLOOM_BYTES_MIN = 1024;
export const BLOOM_BYTES_MAX = 2 * 1024 * 1024;

/** Most rows that one message reads for a bypass set. Prevents a large set from delaying claims. */
export const BYPASS_ROWS_MAX = 5_000;

/** The period of the rate-limit bindings in wrangler.toml, in seconds. The platform allows 10 and 60. */
export const RATE_LIMIT_WINDOW_SECONDS = 10;

/** Claims and holds of one user for one coupon in a window, unless `RATE_LIMIT` says otherwise. */
export const RATE_LIMIT_DEFAULT = 100;

/**
 * Claims and holds of one client address in a window, unless `ADDRESS_LIMIT` says otherwise. Mobile carriers
 * put thousands of users behind one address.
 */
export const ADDRESS_LIMIT_DEFAULT = 1_000;

/** Longest Turnstile token, in characters (source: Cloudflare). Prevents a call for a token that can't be one. */
export const TURNSTILE_TOKEN_LENGTH_MAX = 2048;

/** Deadline of the verification of a Turnstile token, in milliseconds. */
export const TURNSTILE_DEADLINE_MS = 3_000;

/**
 * How long fetched identity keys are fresh, in milliseconds. Then a key that its issuer revoked is refused.
 */
export const JWKS_TTL_MS = 300_000;

/** How long fetched identity keys are used while the issuer can't be reached, in milliseconds. */
export const JWKS_STALE_MS_MAX = 3_600_000;

/**
 * Shortest time between fetches of identity keys, in milliseconds. Prevents a fetch for each forged key id.
 */
export const JWKS_REFRESH_MS_MIN = 10_000;

/**
 * Most unknown key ids that an isolate remembers, and their length in characters. Prevents forged ids from
 * filling memory. A key id beyond them gets 503 instead of 401 until the next fetch.
 */
export const JWKS_UNKNOWN_MAX = 1000;
export const KEY_ID_LENGTH_MAX = 255;

/** How far an issuer's clock may differ from ours, in seconds, for `exp` and `nbf` of a token. */
export const JWT_LEEWAY_SECONDS = 60;

/** Deadline of a fetch of identity keys, in milliseconds. */
export const JWKS_DEADLINE_MS = 3_000;

/** Greatest age of a snapshot, in milliseconds. Prevents viewers from delaying claims. */
export const SNAPSHOT_MS_MAX = 1_000;

/**
 * How long a viewer waits for another one's read before its `Last-Event-ID` causes one, in milliseconds.
 * Prevents invented ids from causing more than four reads a second.
 */
export const SNAPSHOT_AHEAD_MS = 250;

/** Age at which a running read for all viewers counts as lost, in milliseconds. Its viewer may have left. */
export const SNAPSHOT_TAKEOVER_MS = 3_000;

/** Most coupons whose ledger head an isolate remembers. Prevents a scan of names from filling memory. */
export const HEADS_MAX = 4096;

/** Most coupons whose snapshot an isolate caches. Prevents a scan of names from filling memory. */
export const SNAPSHOTS_MAX = 1024;

/** Interval at which a viewer checks for another viewer's read, in milliseconds. Most reads take less. */
export const SNAPSHOT_POLL_MS = 25;

/**
 * Most reads by one viewer's stream, unless `STREAM_LOOKS_MAX` says otherwise. Then the stream ends and the
 * viewer reconnects. Each read is a subrequest of the viewer's request. Cloudflare's free plan allows 50, and
 * a stream without any left would never change again.
 */
export const STREAM_READS_DEFAULT = 40;

/** Interval at which a viewer's stream checks its isolate for a newer snapshot, in milliseconds. */
export const STREAM_POLL_MS = 250;

/**
 * Longest silence of a stream, in milliseconds. Then it sends a comment. Proxies close idle streams after 30
 * s or more.
 */
export const STREAM_HEARTBEAT_MS = 15_000;

/** Pause before a viewer whose stream broke reconnects, in milliseconds. */
export const STREAM_RETRY_MS = 2_000;

/**
 * How long after a change by time alone a viewer may reconnect and still get its event, in milliseconds. It
 * covers {@link STREAM_RETRY_MS} and a short loss of the network. Prevents old events on later reconnects.
 */
export const STREAM_GAP_MS = 30_000;

/** Most changes of the state of one coupon that an isolate remembers. Prevents growth without end. */
export const KNOWN_STATES_MAX = 16;

/** How long a browser may reuse a preflight, in seconds. Chrome's own maximum. Prevents one for each claim. */
export const PREFLIGHT_SECONDS = 7_200;
