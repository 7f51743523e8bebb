// Deleted incarnations of the coupon, whose ledgers are kept until every sink has them.

import { SETTING_NAMES, type Coupon } from "../domain/coupon.ts";
import type { Deletion } from "../domain/delivery.ts";
import type { Sql, Stored } from "./sql.ts";

/** A deleted incarnation. Its coupon is as it was when it was deleted. */
export type Departed = { readonly coupon: Coupon; readonly deletion: Deletion };

type Row = Omit<Stored<Coupon>, "nextExpiryAt"> & { readonly deletedAt: number; readonly actor: string | null };

const FACTS = ["name", "epoch", "claimed", "held", "lastPosition", "seq", "createdAt", "archivedAt", "clockAt"] as const;
const COLUMNS = [...FACTS, ...Object.keys(SETTING_NAMES)].map((fact) => `coupon ->> '${fact}' AS ${fact}`);

/** Returns the name of the table that has the ledger of a deleted incarnation. */
export function departedLedger(epoch: string): string {
  return `"ledger_${epoch.replaceAll('"', "")}"`;
}

export class DepartedStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The table outlives every coupon, so it is no part of the schema. Its `id` is the order of the incarnations. */
  static readonly CREATE = `CREATE TABLE IF NOT EXISTS departed (id INTEGER PRIMARY KEY, coupon TEXT NOT NULL, deleted_at INTEGER NOT NULL, actor TEXT) STRICT`;
  /** Writes 1 row. */
  static readonly INSERT = `INSERT INTO departed (coupon, deleted_at, actor) VALUES (?, ?, ?)`;
  /** Deletes the coupon and keeps its ledger. Call it inside a transaction. */
  depart({ coupon, deletion }: Departed): void {
    this.#sql.all(DepartedStore.CREATE);
    this.#sql.all(DepartedStore.INSERT, JSON.stringify(coupon), deletion.at, deletion.actor);
    // The triggers would follow the renamed table, and the next coupon needs their names.
    for (const trigger of ["ledger_keeps_what_happened", "ledger_forgets_nothing"]) this.#sql.all(`DROP TRIGGER ${trigger}`);
    this.#sql.all(`ALTER TABLE ledger RENAME TO ${departedLedger(coupon.epoch)}`);
    for (const table of ["coupon", "claims", "holds", "released_holds", "releases"]) this.#sql.all(`DROP TABLE ${table}`);
  }

  static readonly HAS_TABLE = `SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'departed'`;
  static readonly SELECT_ALL = `SELECT deleted_at AS deletedAt, actor, ${COLUMNS.join(", ")} FROM departed ORDER BY id`;
  /** Returns all deleted incarnations, the oldest first. Writes nothing. */
  all(): Departed[] {
    if (this.#sql.all(DepartedStore.HAS_TABLE).length === 0) return [];
    return this.#sql.all<Row>(DepartedStore.SELECT_ALL).map(({ deletedAt, actor, paused, ...facts }) => ({
      coupon: { ...facts, paused: paused === 1, nextExpiryAt: null },
      deletion: { seq: facts.seq + 1, at: deletedAt, actor },
    }));
  }

  /** Writes 1 row. */
  static readonly DELETE = `DELETE FROM departed WHERE coupon ->> 'epoch' = ?`;
  /** Discards the ledger of a deleted incarnation. Call it inside a transaction. */
  forget({ coupon: { epoch } }: Departed): void {
    this.#sql.all(`DROP TABLE ${departedLedger(epoch)}`);
    this.#sql.all(DepartedStore.DELETE, epoch);
  }
}
