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

  // `position` is there for what grants a claim, `data` is JSON for what needs more.
  `CREATE TABLE ledger (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('created', 'claimed')),
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
  INSERT INTO coupon (id, schema_version, name, amount, claimed, held, starts_at, ends_at, paused, last_position, seq, created_at, epoch, clock_at)
  VALUES (1, ${SCHEMA_VERSION}, ?, ?, 0, 0, ?, ?, 0, 0, 1, ?, ?, ?)`;

/**
 * The coupon as memory keeps it, and what the end of the ledger says of it: its head, and the position granted last (null
 * where no claim is among its last 64 events). Writes nothing; reads at most 66 rows.
 */
export const SELECT_COUPON = `
  SELECT name, amount, claimed, held, starts_at AS startsAt, ends_at AS endsAt, paused, last_position AS lastPosition, seq,
         created_at AS createdAt, epoch, clock_at AS clockAt, schema_version AS schemaVersion,
         (SELECT max(seq) FROM ledger) AS ledgerHead,
         (SELECT max(position) FROM (SELECT kind, position FROM ledger ORDER BY seq DESC LIMIT 64) WHERE kind = 'claimed') AS ledgerPosition
  FROM coupon`;

/** The head that storage knows. Writes nothing; reads 1 row. */
export const SELECT_HEAD = `SELECT seq FROM coupon`;

/**
 * Moves the counters by what a batch did. Relative to what is stored, not to what memory believes, so that the table's
 * checks see the truth; the answer lets memory compare. Writes 1 row.
 */
export const ADVANCE_COUPON = `
  UPDATE coupon SET claimed = claimed + ?1, last_position = last_position + ?2, seq = seq + ?3, clock_at = max(clock_at, ?4)
  RETURNING claimed, held, last_position AS lastPosition, seq`;

/** Writes nothing. */
export const SELECT_CLAIM = `
  SELECT user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS key, attempt_id AS attemptId
  FROM claims WHERE user_id = ?`;

/** Whose claim carries this key of a caller. Writes nothing. */
export const SELECT_KEY_OWNER = `SELECT user_id AS userId FROM claims WHERE idempotency_key = ?`;

/** Writes 1 row, and 1 more where the caller sent a key. */
export const INSERT_CLAIM = `
  INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id) VALUES (?, ?, ?, ?, ?, ?)`;

/** Writes 1 row. */
export const INSERT_EVENT = `INSERT INTO ledger (seq, at, kind, user_id, position, data) VALUES (?, ?, ?, ?, ?, ?)`;

/** All who hold a claim, in claim order: the ledger's order, so that \`claims\` needs no second index. Writes nothing. */
export const SELECT_CLAIMANTS = `
  SELECT claims.user_id AS userId
  FROM ledger CROSS JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
  ORDER BY ledger.seq`;
