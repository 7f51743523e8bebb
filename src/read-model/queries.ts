// Reads lists across coupons, and a coupon's timeline, from D1. No query scans claims or events: each finds its first row by a key.

import { saleState, unnamed, type Changeable, type Instant, type Named, type Sale, type SaleState } from "../domain/coupon.ts";
import { FILTERED_ROWS_MAX } from "../domain/delivery-limits.ts";
import { EXPORT_PAGE_SIZE } from "../domain/limits.ts";

/** A coupon as D1 has it. */
type StoredCoupon = Sale & {
  readonly name: string;
  readonly lastPosition: number;
  readonly seq: number;
  readonly createdAt: Instant;
  /** The coupon's time when its courier read it. */
  readonly asOf: Instant;
};
/** A coupon with its state at the moment of reading, because time changes it without an event. */
export type ListedCoupon = StoredCoupon & { readonly state: SaleState };

type CouponRow = Omit<Named<Changeable>, "paused"> & {
  readonly name: string;
  readonly paused: number;
  readonly claimed: number;
  readonly held: number;
  readonly last_position: number;
  readonly seq: number;
  readonly created_at: number;
  readonly archived_at: number | null;
  readonly as_of: number;
};

/** Returns the coupon of a row at `now`. A coupon's time never goes back. */
function listed(row: CouponRow, now: Instant): ListedCoupon {
  const { name, claimed, held, seq } = row;
  const settings = unnamed({ ...row, paused: row.paused === 1 });
  const times = { createdAt: row.created_at, archivedAt: row.archived_at, asOf: row.as_of };
  const coupon = { ...settings, ...times, name, claimed, held, seq, lastPosition: row.last_position };
  return { ...coupon, state: saleState(coupon, Math.max(now, row.as_of)) };
}

/** Reads 1 row. */
const SELECT_FRESHNESS = `SELECT as_of FROM freshness`;

/** Returns when the newest event reached the database, or null before the first. Read it first: then no row is older. */
export async function readFreshness(db: D1Database): Promise<Instant | null> {
  return db.prepare(SELECT_FRESHNESS).first<number>("as_of");
}

/** Returns a text as a search compares it: in any case, and equal for composed and decomposed letters. */
function searchable(text: string): string {
  return text.normalize("NFD").toUpperCase();
}

export type CouponFilter = { readonly state: SaleState | null; readonly text: string };

/** Reads at most `?2` rows, and the deleted ones between them. */
const SELECT_COUPONS = `SELECT * FROM coupons WHERE deleted_at IS NULL AND name > ?1 ORDER BY name LIMIT ?2`;

/**
 * Returns coupons in the order of their names, and the name that the next page begins behind. The filter takes
 * a bounded number of rows, so a page can have fewer coupons than `limit`, or none, and not be the last one.
 */
export async function listCoupons(
  db: D1Database,
  { state, text }: CouponFilter,
  after: string,
  limit: number,
  now: Instant,
): Promise<{ readonly coupons: readonly ListedCoupon[]; readonly next: string | null }> {
  const isFiltered = state !== null || text !== "";
  const rowsMax = isFiltered ? FILTERED_ROWS_MAX : limit + 1;
  const { results } = await db.prepare(SELECT_COUPONS).bind(after, rowsMax).all<CouponRow>();
  const wanted = searchable(text);
  const found = results
    .map((row) => listed(row, now))
    .filter((coupon) => (state ?? coupon.state) === coupon.state && searchable(coupon.name).includes(wanted));
  const coupons = found.slice(0, limit);
  const isCutOff = results.length === rowsMax;
  const last = found.length > limit ? coupons.at(-1) : isCutOff ? results.at(-1) : undefined;
  return { coupons, next: last?.name ?? null };
}

/** Reads all coupons that are neither deleted nor archived, `?1` at most, and the others between them. */
const SELECT_LIVE_COUPONS = `
  SELECT * FROM coupons WHERE deleted_at IS NULL AND archived_at IS NULL ORDER BY name LIMIT ?1`;

/** Returns the coupons that are not archived, in the order of their names. */
export async function liveCoupons(db: D1Database, limit: number, now: Instant): Promise<readonly ListedCoupon[]> {
  const { results } = await db.prepare(SELECT_LIVE_COUPONS).bind(limit).all<CouponRow>();
  return results.map((row) => listed(row, now));
}

/** A place in a user's list of claims. */
export type WalletCursor = { readonly claimedAt: Instant; readonly epoch: string; readonly position: number };
export type WalletClaim = WalletCursor & { readonly coupon: ListedCoupon };

/** Reads the rows of the page, each with its coupon, and the user's revoked claims between them. */
const SELECT_WALLET = `
  SELECT coupons.*, claims.position, claims.claimed_at
  FROM claims CROSS JOIN coupons ON coupons.epoch = claims.epoch
  WHERE claims.user_id = ?1 AND (claims.claimed_at, claims.epoch, claims.position) < (?2, ?3, ?4)
    AND claims.revoked_at IS NULL AND coupons.deleted_at IS NULL
  ORDER BY claims.claimed_at DESC, claims.epoch DESC, claims.position DESC LIMIT ?5`;

/** Returns the claims of a user that are not revoked, the newest first, and the place of the next page. */
export async function listWallet(
  db: D1Database,
  userId: string,
  after: WalletCursor | null,
  limit: number,
  now: Instant,
): Promise<{ readonly claims: readonly WalletClaim[]; readonly next: WalletCursor | null }> {
  const { claimedAt, epoch, position } = after ?? { claimedAt: Number.MAX_SAFE_INTEGER, epoch: "", position: 0 };
  type Row = CouponRow & { readonly epoch: string; readonly position: number; readonly claimed_at: number };
  const { results } = await db
    .prepare(SELECT_WALLET)
    .bind(userId, claimedAt, epoch, position, limit + 1)
    .all<Row>();
  const claims = results.slice(0, limit).map((row): WalletClaim => {
    return { coupon: listed(row, now), epoch: row.epoch, position: row.position, claimedAt: row.claimed_at };
  });
  return { claims, next: results.length > limit ? (claims.at(-1) ?? null) : null };
}

/** Reads the user's claims and holds, and a coupon for each. Sorts the names of these coupons. */
const SELECT_COUPONS_OF_USER = `
  SELECT DISTINCT name
  FROM (SELECT epoch FROM claims WHERE user_id = ?1
        UNION SELECT epoch FROM events WHERE user_id = ?1 AND kind = 'held') AS own
    CROSS JOIN coupons ON coupons.epoch = own.epoch
  WHERE name > ?2 ORDER BY name LIMIT ?3`;

/** Returns the coupons in which a user has or had a claim or a hold, in the order of their names, and where the next page begins. */
export async function couponsOfUser(
  db: D1Database,
  userId: string,
  after: string,
  limit: number,
): Promise<{ readonly names: readonly string[]; readonly next: string | null }> {
  const { results } = await db
    .prepare(SELECT_COUPONS_OF_USER)
    .bind(userId, after, limit + 1)
    .all<{ name: string }>();
  const names = results.slice(0, limit).map(({ name }) => name);
  return { names, next: results.length > limit ? (names.at(-1) ?? null) : null };
}

/** A line of the report. A revoked claim stays in it. */
export type ReportedClaim = {
  readonly epoch: string;
  readonly name: string;
  readonly userId: string;
  readonly position: number;
  readonly claimedAt: Instant;
  readonly revokedAt: Instant | null;
};

/**
 * Reads the coupons that had claims between `?3` and `?4`, and their claims after the position. An index on
 * the time of a claim would cost a written row for each, which D1 bills as a thousand read ones.
 */
const SELECT_REPORT = `
  SELECT claims.epoch, coupons.name, claims.user_id AS userId, claims.position, claims.claimed_at AS claimedAt,
         claims.revoked_at AS revokedAt
  FROM coupons CROSS JOIN claims
    ON claims.epoch = coupons.epoch AND claims.position > iif(coupons.epoch = ?1, ?2, 0)
  WHERE coupons.epoch >= ?1 AND coupons.deleted_at IS NULL AND coupons.created_at < ?4
    AND (SELECT claimed_at FROM claims AS last WHERE last.epoch = coupons.epoch ORDER BY position DESC LIMIT 1) >= ?3
    AND claims.claimed_at >= ?3 AND claims.claimed_at < ?4
  ORDER BY coupons.epoch, claims.position LIMIT ?5`;

/** Returns the claims from `from` until before `to` behind `last`, coupon by coupon, in the order of their positions. */
export async function reportPage(
  db: D1Database,
  from: Instant,
  to: Instant,
  last: Pick<ReportedClaim, "epoch" | "position"> | undefined,
): Promise<readonly ReportedClaim[]> {
  const { epoch, position } = last ?? { epoch: "", position: 0 };
  const { results } = await db.prepare(SELECT_REPORT).bind(epoch, position, from, to, EXPORT_PAGE_SIZE).all<ReportedClaim>();
  return results;
}

/** A part of a sale. The last one also counts the later revokes. */
export type TimelineBucket = { readonly at: Instant; readonly granted: number; readonly revoked: number };

/**
 * Returns at most `?2` buckets of equal length, in whole seconds, between the first and the last claim. Claims have dense positions
 * in the order of their times, so a binary search finds the last one before each bucket. Reads about 2 * log2(claims) rows for each
 * bucket, and 1 for each revoked claim: measured, 8,600 rows for 200 buckets of a million claims.
 */
const SELECT_TIMELINE = `
  WITH RECURSIVE bucket (at, length, endsAt, lastPosition) AS (
    SELECT oldest.claimed_at, ((newest.claimed_at - oldest.claimed_at) / CAST(?2 AS INTEGER) / 1000 + 1) * 1000,
           newest.claimed_at, newest.position
    FROM (SELECT claimed_at FROM claims WHERE epoch = ?1 ORDER BY position LIMIT 1) AS oldest,
         (SELECT claimed_at, position FROM claims WHERE epoch = ?1 ORDER BY position DESC LIMIT 1) AS newest
    UNION ALL
    SELECT at + length, length, endsAt, lastPosition FROM bucket WHERE at + length <= endsAt
  )
  SELECT at, length, lastPosition, (
    WITH RECURSIVE search (low, high) AS (
      SELECT 0, lastPosition
      UNION ALL
      SELECT iif(claimed_at < at, (low + high) / 2, low), iif(claimed_at < at, high, (low + high) / 2)
      FROM search LEFT JOIN claims ON epoch = ?1 AND position = (low + high) / 2
      WHERE high - low > 1
    )
    SELECT low FROM search WHERE high - low = 1
  ) AS positionBefore, (
    SELECT count(*) FROM claims
    WHERE epoch = ?1 AND revoked_at >= at AND revoked_at < iif(at + length > endsAt, ${Number.MAX_SAFE_INTEGER}, at + length)
  ) AS revoked
  FROM bucket`;

/** Returns how claims and revokes are spread over a sale, and the length of each bucket in seconds. */
export async function readTimeline(
  db: D1Database,
  epoch: string,
  bucketsMax: number,
): Promise<{ readonly buckets: readonly TimelineBucket[]; readonly bucketSeconds: number }> {
  type Row = { readonly at: number; readonly length: number; readonly lastPosition: number; readonly positionBefore: number };
  const { results } = await db.prepare(SELECT_TIMELINE).bind(epoch, bucketsMax).all<Row & { readonly revoked: number }>();
  const buckets = results.map(({ at, lastPosition, positionBefore, revoked }, index) => {
    return { at, granted: (results[index + 1]?.positionBefore ?? lastPosition) - positionBefore, revoked };
  });
  return { buckets, bucketSeconds: (results[0]?.length ?? 1000) / 1000 };
}

/** The statements, whose plans a test checks. */
export const STATEMENTS = {
  SELECT_FRESHNESS,
  SELECT_COUPONS,
  SELECT_LIVE_COUPONS,
  SELECT_WALLET,
  SELECT_COUPONS_OF_USER,
  SELECT_REPORT,
  SELECT_TIMELINE,
} as const;
