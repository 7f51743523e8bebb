// Every SQL statement of the engine, with the rows that it writes: on Cloudflare a row written is money.

import { AMOUNT_MAX } from "../domain/limits.ts";

/**
 * The tables of one coupon. The constraints refuse an oversell, a second claim of one user and a forked ledger by
 * themselves, whatever the code above them believes. Only creating a coupon runs these.
 */
export const SCHEMA = [
  `CREATE TABLE coupon (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     schema_version INTEGER NOT NULL,
     name TEXT NOT NULL,
     amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND ${AMOUNT_MAX}),
     claimed INTEGER NOT NULL,
     held INTEGER NOT NULL,
     starts_at INTEGER,
     ends_at INTEGER,
     paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
     last_position INTEGER NOT NULL CHECK (last_position >= claimed),
     seq INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     epoch TEXT NOT NULL,
     clock_at INTEGER NOT NULL,
     outcomes TEXT NOT NULL,
     CHECK (claimed >= 0 AND held >= 0 AND claimed + held <= amount)
   ) STRICT`,

  // The index costs its row only where a caller sent a key of its own; the Worker's attempt ids are not in it.
  `CREATE TABLE claims (
     user_id TEXT PRIMARY KEY,
     position INTEGER NOT NULL,
     claimed_at INTEGER NOT NULL,
     remaining_after INTEGER NOT NULL CHECK (remaining_after >= 0),
     idempotency_key TEXT,
     attempt_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE UNIQUE INDEX claims_by_key ON claims (idempotency_key) WHERE idempotency_key IS NOT NULL`,

  // The index finds the holds that expire next: a hold writes its row here and there.
  `CREATE TABLE holds (
     user_id TEXT PRIMARY KEY,
     held_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL CHECK (expires_at > held_at),
     attempt_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX holds_by_expiry ON holds (expires_at)`,

  // Claims that were taken back, so that a late duplicate of the request that made one can be told.
  `CREATE TABLE releases (
     user_id TEXT NOT NULL,
     position INTEGER NOT NULL,
     claimed_at INTEGER NOT NULL,
     remaining_after INTEGER NOT NULL,
     idempotency_key TEXT,
     attempt_id TEXT NOT NULL,
     released_at INTEGER NOT NULL,
     PRIMARY KEY (user_id, position)
   ) STRICT, WITHOUT ROWID`,

  // `position` is there for what grants a claim, `data` is JSON for what needs more.
  `CREATE TABLE ledger (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('created', 'changed', 'claimed', 'released', 'held', 'given_back', 'expired')),
     user_id TEXT,
     position INTEGER,
     data TEXT
   ) STRICT`,
  `CREATE TRIGGER ledger_keeps_what_happened BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
  `CREATE TRIGGER ledger_forgets_nothing BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
] as const;

/** The version that {@link SCHEMA} writes into `coupon.schema_version`. */
export const SCHEMA_VERSION = 1;

/** Whether a coupon was ever created here. Writes nothing. */
export const HAS_SCHEMA = `SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'coupon'`;

/** Writes 1 row. */
export const INSERT_COUPON = `
  INSERT INTO coupon (id, schema_version, name, amount, claimed, held, starts_at, ends_at, paused, last_position, seq, created_at, epoch, clock_at, outcomes)
  VALUES (1, ${SCHEMA_VERSION}, ?, ?, 0, 0, ?, ?, 0, 0, 1, ?, ?, ?, ?)`;

/**
 * The coupon as memory keeps it, and what the end of the ledger says of it: its head, and the position granted last (null
 * where no claim is among its last 64 events). Writes nothing; reads at most 68 rows.
 */
export const SELECT_COUPON = `
  SELECT name, amount, claimed, held, starts_at AS startsAt, ends_at AS endsAt, paused, last_position AS lastPosition, seq,
         created_at AS createdAt, epoch, clock_at AS clockAt, outcomes, schema_version AS schemaVersion,
         (SELECT min(expires_at) FROM holds) AS nextExpiryAt,
         (SELECT max(seq) FROM ledger) AS ledgerHead,
         (SELECT position FROM ledger WHERE seq > (SELECT max(seq) FROM ledger) - 64 AND kind = 'claimed' ORDER BY seq DESC LIMIT 1) AS ledgerPosition
  FROM coupon`;

/** The head that storage knows. Writes nothing; reads 1 row. */
export const SELECT_HEAD = `SELECT seq FROM coupon`;

/**
 * Moves the counters by what a transaction did, and, where `?8` is 1, sets what an operator set. All numbers move relative to
 * what is stored, not to what memory believes, so that the table's checks see the truth; the answer lets memory compare.
 * Writes 1 row.
 */
export const ADVANCE_COUPON = `
  UPDATE coupon
  SET claimed = claimed + ?1, held = held + ?2, last_position = last_position + ?3, seq = seq + ?4, clock_at = max(clock_at, ?5), outcomes = ?6,
      amount = amount + ?7, starts_at = iif(?8, ?9, starts_at), ends_at = iif(?8, ?10, ends_at), paused = iif(?8, ?11, paused)
  RETURNING amount, claimed, held, last_position AS lastPosition, seq`;

const CLAIM_COLUMNS = `user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS key, attempt_id AS attemptId`;

/** Writes nothing. */
export const SELECT_CLAIM = `SELECT ${CLAIM_COLUMNS} FROM claims WHERE user_id = ?`;

/** Whose claim carries this key of a caller. Writes nothing. */
export const SELECT_KEY_OWNER = `SELECT user_id AS userId FROM claims WHERE idempotency_key = ?`;

/** As {@link SELECT_KEY_OWNER}, for all keys of a JSON array. Writes nothing. */
export const SELECT_KEY_OWNERS = `
  SELECT idempotency_key AS key, user_id AS userId FROM claims
  WHERE idempotency_key IS NOT NULL AND idempotency_key IN (SELECT value FROM json_each(?))`;

/** Writes 1 row, and 1 more where the caller sent a key. */
export const INSERT_CLAIM = `
  INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id) VALUES (?, ?, ?, ?, ?, ?)`;

/** As {@link SELECT_CLAIM}, for all users of a JSON array. Writes nothing. */
export const SELECT_CLAIMS = `SELECT ${CLAIM_COLUMNS} FROM claims WHERE user_id IN (SELECT value FROM json_each(?))`;

/** As {@link INSERT_CLAIM}, for each of a JSON array of such rows. */
export const INSERT_CLAIMS = `
  INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`;

/** Writes 1 row, and 1 more where the caller had sent a key. */
export const DELETE_CLAIM = `DELETE FROM claims WHERE user_id = ?`;

/** Writes nothing. */
export const SELECT_HOLD = `SELECT user_id AS userId, held_at AS heldAt, expires_at AS expiresAt, attempt_id AS attemptId FROM holds WHERE user_id = ?`;

/** Writes 2 rows. */
export const INSERT_HOLD = `INSERT INTO holds (user_id, held_at, expires_at, attempt_id) VALUES (?, ?, ?, ?)`;

/** Writes 2 rows. */
export const DELETE_HOLD = `DELETE FROM holds WHERE user_id = ?`;

/** Whose holds are over at an instant, first the one that ended first. Writes nothing. */
export const SELECT_EXPIRED = `SELECT user_id AS userId FROM holds WHERE expires_at <= ? ORDER BY expires_at, user_id`;

/** Who holds a claim, in claim order, without the rest of it. Writes nothing. */
export const SELECT_CLAIMANTS = `
  SELECT claims.user_id AS userId
  FROM ledger CROSS JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
  WHERE ledger.kind = 'claimed'
  ORDER BY ledger.seq`;

/** Writes nothing. */
export const SELECT_NEXT_EXPIRY = `SELECT min(expires_at) AS nextExpiryAt FROM holds`;

/** Writes 1 row. */
export const INSERT_RELEASE = `
  INSERT INTO releases (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, released_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;

/** One user's released claims, the last first. Writes nothing. */
export const SELECT_RELEASES = `SELECT ${CLAIM_COLUMNS}, released_at AS releasedAt FROM releases WHERE user_id = ? ORDER BY position DESC`;

/** Writes 1 row. */
export const INSERT_EVENT = `INSERT INTO ledger (seq, at, kind, user_id, position, data) VALUES (?, ?, ?, ?, ?, ?)`;

/** As {@link INSERT_EVENT}, for each of a JSON array of such rows. */
export const INSERT_EVENTS = `
  INSERT INTO ledger (seq, at, kind, user_id, position, data)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`;

/** Who is in the ledger behind an event, each with the key of the claim that they have now. Writes nothing. */
export const SELECT_INVOLVED = `
  SELECT ledger.seq, ledger.user_id AS userId, claims.idempotency_key AS key
  FROM ledger LEFT JOIN claims ON claims.user_id = ledger.user_id
  WHERE ledger.seq > ? AND ledger.user_id IS NOT NULL
  ORDER BY ledger.seq LIMIT ?`;

/**
 * Claims in the order of their positions, which is the ledger's, so that `claims` needs no second index. Begins behind an
 * event of which it is known that the page can't begin before it. Writes nothing.
 */
export const SELECT_PAGE = `
  SELECT claims.user_id AS userId, claims.position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS key,
         attempt_id AS attemptId, ledger.seq
  FROM ledger CROSS JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
  WHERE ledger.seq > ?1 AND ledger.position > ?2 AND ledger.kind = 'claimed'
  ORDER BY ledger.seq LIMIT ?3`;
