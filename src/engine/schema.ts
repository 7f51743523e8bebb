// The tables of one coupon, and how those of an older version become them.

import { AMOUNT_MAX, HOLD_TTL_SECONDS_MAX } from "../domain/limits.ts";

/** The version of {@link SCHEMA}, written into `coupon.schema_version`. */
export const SCHEMA_VERSION = 2;

const RELEASED_HOLDS = `CREATE TABLE released_holds (
     user_id TEXT NOT NULL,
     attempt_id TEXT NOT NULL,
     released_at INTEGER NOT NULL,
     PRIMARY KEY (user_id, attempt_id)
   ) STRICT, WITHOUT ROWID`;

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
     hold_seconds_max INTEGER NOT NULL,
     holds_max INTEGER,
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

  // Holds that were released, so that a late duplicate of the request that made one does not hold again.
  RELEASED_HOLDS,

  // Claims that were taken back, so that a late duplicate of the request that made one is recognized.
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

/**
 * By version: the statements that make the next one of it. A coupon of an older version goes through them when it is loaded. Version 2
 * knows limits for holds; a coupon that was made without them keeps those it was made under.
 */
export const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  1: [
    `ALTER TABLE coupon ADD COLUMN hold_seconds_max INTEGER NOT NULL DEFAULT ${HOLD_TTL_SECONDS_MAX}`,
    `ALTER TABLE coupon ADD COLUMN holds_max INTEGER`,
    RELEASED_HOLDS,
    `UPDATE coupon SET schema_version = 2`,
  ],
};
