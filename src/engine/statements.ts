// Every SQL statement of the engine, with the rows that it writes: on Cloudflare a row written is money.

import { SCHEMA_VERSION } from "./schema.ts";

/** Whether a coupon was ever created here. Writes nothing. */
export const HAS_SCHEMA = `SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'coupon'`;

/** Which version wrote the tables. Writes nothing. */
export const SELECT_SCHEMA_VERSION = `SELECT schema_version AS version FROM coupon`;

/** Writes 1 row. */
export const INSERT_COUPON = `
  INSERT INTO coupon (id, schema_version, name, amount, claimed, held, starts_at, ends_at, hold_seconds_max, holds_max, paused,
                      last_position, seq, created_at, epoch, clock_at, outcomes)
  VALUES (1, ${SCHEMA_VERSION}, ?, ?, 0, 0, ?, ?, ?, ?, 0, 0, 1, ?, ?, ?, ?)`;

/**
 * The coupon as memory keeps it, and what the end of the ledger says of it: its head, and the position granted last (null
 * where no claim is among its last 64 events). Writes nothing; reads at most 68 rows.
 */
export const SELECT_COUPON = `
  SELECT name, amount, claimed, held, starts_at AS startsAt, ends_at AS endsAt, paused, last_position AS lastPosition, seq,
         created_at AS createdAt, epoch, clock_at AS clockAt, outcomes, hold_seconds_max AS holdSecondsMax, holds_max AS holdsMax,
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
      amount = amount + ?7, starts_at = iif(?8, ?9, starts_at), ends_at = iif(?8, ?10, ends_at), paused = iif(?8, ?11, paused),
      hold_seconds_max = iif(?8, ?12, hold_seconds_max), holds_max = iif(?8, ?13, holds_max)
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

const HOLD_COLUMNS = `user_id AS userId, held_at AS heldAt, expires_at AS expiresAt, attempt_id AS attemptId`;

/** Writes nothing. */
export const SELECT_HOLD = `SELECT ${HOLD_COLUMNS} FROM holds WHERE user_id = ?`;

/** As {@link SELECT_HOLD}, for all users of a JSON array. Writes nothing. */
export const SELECT_HOLDS = `SELECT ${HOLD_COLUMNS} FROM holds WHERE user_id IN (SELECT value FROM json_each(?))`;

/** Holds by user id behind one, that still run at an instant. Writes nothing. */
export const SELECT_HOLDS_PAGE = `SELECT ${HOLD_COLUMNS} FROM holds WHERE user_id > ? AND expires_at > ? ORDER BY user_id LIMIT ?`;

/** Writes 2 rows. */
export const INSERT_HOLD = `INSERT INTO holds (user_id, held_at, expires_at, attempt_id) VALUES (?, ?, ?, ?)`;

/** As {@link INSERT_HOLD}, for each of a JSON array of such rows. */
export const INSERT_HOLDS = `
  INSERT INTO holds (user_id, held_at, expires_at, attempt_id)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`;

/** Writes 2 rows. */
export const DELETE_HOLD = `DELETE FROM holds WHERE user_id = ?`;

/** As {@link DELETE_HOLD}, for each of a JSON array of rows with a user. */
export const DELETE_HOLDS = `DELETE FROM holds WHERE user_id IN (SELECT value ->> 0 FROM json_each(?))`;

/** Holds that are over at an instant, first the one that ended first. Writes nothing. */
export const SELECT_EXPIRED = `SELECT ${HOLD_COLUMNS} FROM holds WHERE expires_at <= ? ORDER BY expires_at, user_id`;

/** When the first hold expires that still runs at an instant. Writes nothing. */
export const SELECT_NEXT_EXPIRY = `SELECT min(expires_at) AS nextExpiryAt FROM holds WHERE expires_at > ?`;

/** Whether this attempt of a user made a hold that was released. Writes nothing. */
export const SELECT_RELEASED_HOLD = `SELECT 1 AS found FROM released_holds WHERE user_id = ? AND attempt_id = ?`;

/** Writes 1 row. */
export const INSERT_RELEASED_HOLD = `INSERT INTO released_holds (user_id, attempt_id, released_at) VALUES (?, ?, ?)`;

/** As {@link INSERT_RELEASED_HOLD}, for each of a JSON array of such rows. */
export const INSERT_RELEASED_HOLDS = `
  INSERT INTO released_holds (user_id, attempt_id, released_at) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)`;

/** Who holds a claim, in claim order, without the rest of it. Writes nothing. */
export const SELECT_CLAIMANTS = `
  SELECT claims.user_id AS userId
  FROM ledger CROSS JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
  WHERE ledger.kind = 'claimed'
  ORDER BY ledger.seq`;

/** Writes 1 row. */
export const INSERT_REVOKED_CLAIM = `
  INSERT INTO releases (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, released_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;

/** One user's released claims, the last first. Writes nothing. */
export const SELECT_REVOKED_CLAIMS = `SELECT ${CLAIM_COLUMNS}, released_at AS revokedAt FROM releases WHERE user_id = ? ORDER BY position DESC`;

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

/** Members of the bypass set, table by table, behind a user id. Each writes nothing. */
export const SELECT_CLAIM_MEMBERS = `SELECT user_id AS userId, idempotency_key AS key FROM claims WHERE user_id > ? ORDER BY user_id LIMIT ?`;
export const SELECT_HOLD_MEMBERS = `SELECT user_id AS userId, NULL AS key FROM holds WHERE user_id > ? ORDER BY user_id LIMIT ?`;
export const SELECT_REVOKED_MEMBERS = `SELECT user_id AS userId, NULL AS key FROM releases WHERE user_id > ? GROUP BY user_id ORDER BY user_id LIMIT ?`;

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
