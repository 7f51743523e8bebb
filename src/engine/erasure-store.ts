// The statements that put a pseudonym in the place of a user's id, and those that an erasure reads.

import { pseudonymized } from "../domain/pseudonym.ts";
import type { ClaimStore } from "./claim-store.ts";
import { departedLedger } from "./departed-store.ts";
import type { HoldStore, ReleasedHold } from "./hold-store.ts";
import type { Sql } from "./sql.ts";

/** The user of an erasure, the stored events of that user, and the coupon's erasure key. */
export type Erasure = { readonly userId: string; readonly alias: string; readonly seqs: readonly number[]; readonly erasureKey: string };

export class ErasureStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The events of a user. No index has them: reads the whole ledger, so that claims write no row for it. */
  static readonly SELECT_SEQS = `SELECT seq FROM ledger WHERE user_id = ? ORDER BY seq`;
  seqsOf(userId: string): number[] {
    return this.#sql.all<{ seq: number }>(ErasureStore.SELECT_SEQS, userId).map(({ seq }) => seq);
  }

  /** Writes 1 row. */
  static readonly SET_KEY = `UPDATE coupon SET erasure_key = ? WHERE erasure_key IS NULL`;
  /** Deletes the rows of a user. The same rows are inserted under the pseudonym. */
  static readonly DELETE_REVOKED_CLAIMS = `DELETE FROM releases WHERE user_id = ?`;
  static readonly DELETE_RELEASED_HOLDS = `
    DELETE FROM released_holds WHERE user_id = ? RETURNING attempt_id AS attemptId, released_at AS releasedAt`;
  /** Writes 1 row for each event of a JSON array of seqs. */
  static readonly RENAME_EVENTS = `UPDATE ledger SET user_id = ?1 WHERE seq IN (SELECT value FROM json_each(?2))`;
  /** Renames the events, the revoked claims and the released holds of a user. Call it inside a transaction. */
  erase({ userId, alias, seqs, erasureKey }: Erasure, claims: ClaimStore, holds: HoldStore): void {
    this.#sql.all(ErasureStore.SET_KEY, erasureKey);
    this.#sql.all(ErasureStore.RENAME_EVENTS, alias, JSON.stringify(seqs));
    const revoked = claims.revokedOf(userId);
    this.#sql.all(ErasureStore.DELETE_REVOKED_CLAIMS, userId);
    for (const { claim, revokedAt } of revoked) claims.insertRevoked({ claim: pseudonymized(erasureKey, claim), revokedAt });
    const released = this.#sql.all<{ attemptId: string; releasedAt: number }>(ErasureStore.DELETE_RELEASED_HOLDS, userId);
    const rows = released.map(({ attemptId, releasedAt }): ReleasedHold => {
      const hidden = pseudonymized(erasureKey, { userId, attemptId });
      return [hidden.userId, hidden.attemptId, releasedAt];
    });
    holds.insertReleased(rows);
  }

  /** Writes 1 row for each event of the user. Reads the whole ledger. */
  static readonly RENAME_DEPARTED = (table: string): string => `UPDATE ${table} SET user_id = ? WHERE user_id = ? RETURNING seq`;
  /** Renames the events of a user in the ledger of a deleted incarnation. Returns their number. */
  renameDeparted(epoch: string, alias: string, userId: string): number {
    return this.#sql.all(ErasureStore.RENAME_DEPARTED(departedLedger(epoch)), alias, userId).length;
  }
}
