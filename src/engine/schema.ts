// The tables of one coupon, and the migrations from older versions.

import type { SETTING_NAMES } from "../domain/coupon.ts";
import { EVENT_KINDS, PSEUDONYM_PREFIX } from "../domain/ledger-event.ts";
import { AMOUNT_MAX, HOLD_TTL_SECONDS_MAX } from "../domain/limits.ts";

/** The version of {@link SCHEMA}. It is stored in `coupon.schema_version`. */
export const SCHEMA_VERSION = 5;

/** The settings of coupons and events that are older than the setting. Without an entry it is null. */
export const SETTINGS_BEFORE: { readonly [Name in (typeof SETTING_NAMES)[keyof typeof SETTING_NAMES]]?: number } = {
  hold_seconds_max: HOLD_TTL_SECONDS_MAX,
};

const RELEASED_HOLDS = `CREATE TABLE released_holds (
     user_id TEXT NOT NULL,
     attempt_id TEXT NOT NULL,
     released_at INTEGER NOT NULL,
     PRIMARY KEY (user_id, attempt_id)
   ) STRICT, WITHOUT ROWID`;

const ARCHIVE_IS_FINAL = `CREATE TRIGGER archive_is_final BEFORE UPDATE ON coupon
   WHEN old.archived_at IS NOT NULL AND (new.archived_at IS NOT old.archived_at OR new.last_position > old.last_position OR new.held > 0)
   BEGIN SELECT RAISE(ABORT, 'an archived coupon sells nothing'); END`;

const LEDGER = [
  // `position` is set for grants and revokes, `actor` for what an operator did. `data` is JSON with more details.
  `CREATE TABLE ledger (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN (${EVENT_KINDS.map((kind) => `'${kind}'`).join(", ")})),
     user_id TEXT,
     position INTEGER,
     data TEXT,
     actor TEXT
   ) STRICT`,
  // An erasure puts a pseudonym in the place of a user's id, and changes nothing else.
  `CREATE TRIGGER ledger_keeps_what_happened BEFORE UPDATE ON ledger
   WHEN ifnull(new.user_id NOT GLOB '${PSEUDONYM_PREFIX}*' OR old.user_id GLOB '${PSEUDONYM_PREFIX}*', TRUE)
     OR (new.seq, new.at, new.kind, new.position, new.data, new.actor) IS NOT (old.seq, old.at, old.kind, old.position, old.data, old.actor)
   BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
  `CREATE TRIGGER ledger_forgets_nothing BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
] as const;

/**
 * The tables of one coupon. Their constraints refuse an oversell, a second claim of one user and a forked
 * ledger, whatever the code does. Only the creation of a coupon runs these statements.
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
     archived_at INTEGER,
     title TEXT,
     description TEXT,
     image_url TEXT,
     erasure_key TEXT,
     CHECK (claimed >= 0 AND held >= 0 AND claimed + held <= amount)
   ) STRICT`,
  ARCHIVE_IS_FINAL,

  // The index costs a row only if the caller sent an idempotency key. The Worker's attempt ids are not in it.
  `CREATE TABLE claims (
     user_id TEXT NOT NULL,
     position INTEGER NOT NULL,
     claimed_at INTEGER NOT NULL,
     remaining_after INTEGER NOT NULL CHECK (remaining_after >= 0),
     idempotency_key TEXT,
     attempt_id TEXT NOT NULL,
     PRIMARY KEY (user_id)
   ) STRICT, WITHOUT ROWID`,
  `CREATE UNIQUE INDEX claims_by_key ON claims (idempotency_key) WHERE idempotency_key IS NOT NULL`,

  // The index finds the holds that expire next. A hold writes one row here and one in the index.
  `CREATE TABLE holds (
     user_id TEXT PRIMARY KEY,
     held_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL CHECK (expires_at > held_at),
     attempt_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX holds_by_expiry ON holds (expires_at)`,

  // Released holds, so that a late duplicate of a request does not hold again.
  RELEASED_HOLDS,

  // Revoked claims, so that a late duplicate of a request is recognized.
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

  ...LEDGER,
] as const;

/**
 * For each version, the statements that migrate it to the next one. They run when a coupon is loaded. Version
 * 2 adds the limits of holds. A coupon of version 1 keeps the limits that it was created with. Version 3 adds
 * actors to the ledger, and the archive. Version 4 adds the texts of a sale's page. Version 5 adds the erasure
 * of users.
 */
export const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  1: [
    `ALTER TABLE coupon ADD COLUMN hold_seconds_max INTEGER NOT NULL DEFAULT ${SETTINGS_BEFORE.hold_seconds_max}`,
    `ALTER TABLE coupon ADD COLUMN holds_max INTEGER`,
    RELEASED_HOLDS,
    `UPDATE coupon SET schema_version = 2`,
  ],
  2: [
    ...copyOfLedger("NULL"),
    `ALTER TABLE coupon ADD COLUMN archived_at INTEGER`,
    ARCHIVE_IS_FINAL,
    `UPDATE coupon SET schema_version = 3`,
  ],
  3: [
    `ALTER TABLE coupon ADD COLUMN title TEXT`,
    `ALTER TABLE coupon ADD COLUMN description TEXT`,
    `ALTER TABLE coupon ADD COLUMN image_url TEXT`,
    `UPDATE coupon SET schema_version = 4`,
  ],
  4: [...copyOfLedger("actor"), `ALTER TABLE coupon ADD COLUMN erasure_key TEXT`, `UPDATE coupon SET schema_version = 5`],
};

/** Returns the statements that put the events into today's ledger, because SQLite can't change a CHECK. */
function copyOfLedger(actor: "actor" | "NULL"): readonly string[] {
  return [
    `ALTER TABLE ledger RENAME TO ledger_before`,
    // The triggers of the renamed table have the names of the new ones.
    `DROP TRIGGER ledger_keeps_what_happened`,
    `DROP TRIGGER ledger_forgets_nothing`,
    ...LEDGER,
    `INSERT INTO ledger SELECT seq, at, kind, user_id, position, data, ${actor} FROM ledger_before`,
    `DROP TABLE ledger_before`,
  ];
}
