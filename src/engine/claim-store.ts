// The rows of claims and revoked claims, and their statements.

import type { Claim } from "../domain/claim.ts";
import type { RevokedClaim } from "../domain/revoke.ts";
import { writeRows } from "./rows.ts";
import type { Sql } from "./sql.ts";

const CLAIM_COLUMNS = `user_id AS userId, position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS key, attempt_id AS attemptId`;

export class ClaimStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The claims of one user, by position. Writes nothing. */
  static readonly SELECT_CLAIM = `SELECT ${CLAIM_COLUMNS} FROM claims WHERE user_id = ? ORDER BY position`;
  of(userId: string): Claim[] {
    return this.#sql.all<Claim>(ClaimStore.SELECT_CLAIM, userId);
  }

  /** As {@link SELECT_CLAIM}, for all users of a JSON array. Writes nothing. */
  static readonly SELECT_CLAIMS = `SELECT ${CLAIM_COLUMNS} FROM claims WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY user_id, position`;
  ofAll(userIds: readonly string[]): Claim[] {
    return this.#sql.all<Claim>(ClaimStore.SELECT_CLAIMS, JSON.stringify(userIds));
  }

  /** The user whose claim has this idempotency key. Writes nothing. */
  static readonly SELECT_KEY_OWNER = `SELECT user_id AS userId FROM claims WHERE idempotency_key = ?`;
  keyOwner(key: string): string | null {
    return this.#sql.all<{ userId: string }>(ClaimStore.SELECT_KEY_OWNER, key)[0]?.userId ?? null;
  }

  /** As {@link SELECT_KEY_OWNER}, for all keys of a JSON array. Writes nothing. */
  static readonly SELECT_KEY_OWNERS = `
    SELECT idempotency_key AS key, user_id AS userId FROM claims
    WHERE idempotency_key IS NOT NULL AND idempotency_key IN (SELECT value FROM json_each(?))`;
  keyOwners(keys: readonly string[]): { readonly key: string; readonly userId: string }[] {
    return this.#sql.all<{ key: string; userId: string }>(ClaimStore.SELECT_KEY_OWNERS, JSON.stringify(keys));
  }

  /** Writes 1 row, or 2 if the claim has an idempotency key. */
  static readonly INSERT_CLAIM = `
    INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id) VALUES (?, ?, ?, ?, ?, ?)`;
  /** As {@link INSERT_CLAIM}, for each of a JSON array of such rows. */
  static readonly INSERT_CLAIMS = `
    INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`;
  insert(claims: readonly Claim[]): void {
    const rows = claims.map(({ userId, position, claimedAt, remainingAfter, key, attemptId }) => {
      return [userId, position, claimedAt, remainingAfter, key, attemptId];
    });
    writeRows(this.#sql, rows, ClaimStore.INSERT_CLAIM, ClaimStore.INSERT_CLAIMS);
  }

  /** Writes 1 row, or 2 if the claim has an idempotency key. */
  static readonly DELETE_CLAIM = `DELETE FROM claims WHERE user_id = ? AND position = ?`;
  delete(claims: readonly Claim[]): void {
    for (const { userId, position } of claims) this.#sql.all(ClaimStore.DELETE_CLAIM, userId, position);
  }

  /** The revoked claims of one user, the last first. Writes nothing. */
  static readonly SELECT_REVOKED_CLAIMS = `SELECT ${CLAIM_COLUMNS}, released_at AS revokedAt FROM releases WHERE user_id = ? ORDER BY position DESC`;
  revokedOf(userId: string): RevokedClaim[] {
    const rows = this.#sql.all<Claim & { readonly revokedAt: number }>(ClaimStore.SELECT_REVOKED_CLAIMS, userId);
    return rows.map(({ revokedAt, ...claim }) => ({ claim, revokedAt }));
  }

  /** Writes 1 row. */
  static readonly INSERT_REVOKED_CLAIM = `
    INSERT INTO releases (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, released_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;
  insertRevoked({ claim, revokedAt }: RevokedClaim): void {
    const { userId, position, claimedAt, remainingAfter, key, attemptId } = claim;
    this.#sql.all(ClaimStore.INSERT_REVOKED_CLAIM, userId, position, claimedAt, remainingAfter, key, attemptId, revokedAt);
  }
}
