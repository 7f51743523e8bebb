// The rows of running and released holds, and their statements.

import type { Hold } from "../domain/claim.ts";
import type { Instant } from "../domain/coupon.ts";
import { writeRows } from "./rows.ts";
import type { Sql } from "./sql.ts";

const HOLD_COLUMNS = `user_id AS userId, held_at AS heldAt, expires_at AS expiresAt, attempt_id AS attemptId`;

/** The request whose hold was released, and when. */
export type ReleasedHold = readonly [userId: string, attemptId: string, releasedAt: Instant];

export class HoldStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Writes nothing. */
  static readonly SELECT_HOLD = `SELECT ${HOLD_COLUMNS} FROM holds WHERE user_id = ?`;
  of(userId: string): Hold[] {
    return this.#sql.all<Hold>(HoldStore.SELECT_HOLD, userId);
  }

  /** As {@link SELECT_HOLD}, for all users of a JSON array. Writes nothing. */
  static readonly SELECT_HOLDS = `SELECT ${HOLD_COLUMNS} FROM holds WHERE user_id IN (SELECT value FROM json_each(?))`;
  ofAll(userIds: readonly string[]): Hold[] {
    return this.#sql.all<Hold>(HoldStore.SELECT_HOLDS, JSON.stringify(userIds));
  }

  /** Holds that run at an instant, in the order of their user ids, after a user id. Writes nothing. */
  static readonly SELECT_HOLDS_PAGE = `SELECT ${HOLD_COLUMNS} FROM holds WHERE user_id > ? AND expires_at > ? ORDER BY user_id LIMIT ?`;
  page(after: string, limit: number, now: Instant): Hold[] {
    return this.#sql.all<Hold>(HoldStore.SELECT_HOLDS_PAGE, after, now, limit);
  }

  /** Writes 2 rows. */
  static readonly INSERT_HOLD = `INSERT INTO holds (user_id, held_at, expires_at, attempt_id) VALUES (?, ?, ?, ?)`;
  /** As {@link INSERT_HOLD}, for each of a JSON array of such rows. */
  static readonly INSERT_HOLDS = `
    INSERT INTO holds (user_id, held_at, expires_at, attempt_id)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`;
  insert(holds: readonly Hold[]): void {
    const rows = holds.map(({ userId, heldAt, expiresAt, attemptId }) => [userId, heldAt, expiresAt, attemptId]);
    writeRows(this.#sql, rows, HoldStore.INSERT_HOLD, HoldStore.INSERT_HOLDS);
  }

  /** Writes 2 rows. */
  static readonly DELETE_HOLD = `DELETE FROM holds WHERE user_id = ?`;
  /** As {@link DELETE_HOLD}, for each of a JSON array of rows with a user. */
  static readonly DELETE_HOLDS = `DELETE FROM holds WHERE user_id IN (SELECT value ->> 0 FROM json_each(?))`;
  delete(holds: readonly Hold[]): void {
    const rows = holds.map(({ userId }) => [userId]);
    writeRows(this.#sql, rows, HoldStore.DELETE_HOLD, HoldStore.DELETE_HOLDS);
  }

  /** Without a condition, SQLite clears the table and its index at once. */
  static readonly DELETE_ALL_HOLDS = `DELETE FROM holds`;
  deleteAll(): void {
    this.#sql.all(HoldStore.DELETE_ALL_HOLDS);
  }

  /** Holds that have expired at an instant, in the order of their expiry. Writes nothing. */
  static readonly SELECT_EXPIRED = `SELECT ${HOLD_COLUMNS} FROM holds WHERE expires_at <= ? ORDER BY expires_at, user_id`;
  expired(now: Instant): Hold[] {
    return this.#sql.all<Hold>(HoldStore.SELECT_EXPIRED, now);
  }

  /** The next expiry of a hold that runs at an instant. Writes nothing. */
  static readonly SELECT_NEXT_EXPIRY = `SELECT min(expires_at) AS nextExpiryAt FROM holds WHERE expires_at > ?`;
  nextExpiryAt(now: Instant): Instant | null {
    return this.#sql.all<{ nextExpiryAt: number | null }>(HoldStore.SELECT_NEXT_EXPIRY, now)[0]?.nextExpiryAt ?? null;
  }

  /** Whether this request of a user made a hold that was released. Writes nothing. */
  static readonly SELECT_RELEASED_HOLD = `SELECT 1 AS found FROM released_holds WHERE user_id = ? AND attempt_id = ?`;
  isReleased(userId: string, attemptId: string): boolean {
    return this.#sql.all(HoldStore.SELECT_RELEASED_HOLD, userId, attemptId).length > 0;
  }

  /** Writes 1 row. */
  static readonly INSERT_RELEASED_HOLD = `INSERT INTO released_holds (user_id, attempt_id, released_at) VALUES (?, ?, ?)`;
  /** As {@link INSERT_RELEASED_HOLD}, for each of a JSON array of such rows. */
  static readonly INSERT_RELEASED_HOLDS = `
    INSERT INTO released_holds (user_id, attempt_id, released_at) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)`;
  insertReleased(rows: readonly ReleasedHold[]): void {
    writeRows(this.#sql, rows, HoldStore.INSERT_RELEASED_HOLD, HoldStore.INSERT_RELEASED_HOLDS);
  }
}
