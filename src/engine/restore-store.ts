// A restore that is not finished: its tables are those of a coupon but for the coupon's own row, so no other message sees them.

import type { Replayed } from "../domain/backup.ts";
import { SETTING_NAMES, type Instant } from "../domain/coupon.ts";
import type { Sha256State } from "../domain/sha256.ts";
import { ROWS_SCHEMA, ROWS_TABLES } from "./schema.ts";
import type { Sql, Stored } from "./sql.ts";

/** How far a restore has got. The hash is over its parts so far. */
type Progress = Sha256State & {
  /** The coupon of the backup. */
  readonly epoch: string;
  /** The last part that was stored, and the hash of the first one, by which a repeated one is recognized. */
  readonly part: number;
  readonly firstPart: string;
  readonly beganAt: Instant;
  readonly actor: string | null;
  readonly erasureKey: string | null;
};

/** `header` is what the backup says of its coupon. `replayed` is what the events so far make, null before the first one. */
export type Restoring = Progress & { readonly header: Replayed; readonly replayed: Replayed | null };

const PROGRESS = ["epoch", "part", "firstPart", "beganAt", "actor", "erasureKey", "words", "byteCount", "rest"] as const;
const REPLAYED = ["seq", "at", "createdAt", "archivedAt", "claimed", "held", "lastPosition", ...Object.keys(SETTING_NAMES)];

export class RestoreStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  static readonly HAS_TABLE = `SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'restoring'`;
  /** Whether a restore is not finished. Writes nothing. */
  exists(): boolean {
    return this.#sql.all(RestoreStore.HAS_TABLE).length > 0;
  }

  static readonly SELECT_PROGRESS = `SELECT ${PROGRESS.map((fact) => `state ->> '${fact}' AS ${fact}`).join(", ")} FROM restoring`;
  /** Returns the restore that is not finished, or null. Writes nothing. */
  get(): Restoring | null {
    if (!this.exists()) return null;
    const [progress] = this.#sql.all<Progress>(RestoreStore.SELECT_PROGRESS);
    const header = this.#replayed("header");
    return progress === undefined || header === null ? null : { ...progress, header, replayed: this.#replayed("replayed") };
  }

  #replayed(of: "header" | "replayed"): Replayed | null {
    const columns = REPLAYED.map((fact) => `state ->> '$.${of}.${fact}' AS ${fact}`).join(", ");
    const [row] = this.#sql.all<Stored<Replayed>>(`SELECT ${columns} FROM restoring WHERE state -> '${of}' <> 'null'`);
    return row === undefined ? null : { ...row, paused: row.paused === 1 };
  }

  /** Creates the tables of a restore. Call it inside a transaction. */
  begin(): void {
    for (const statement of ROWS_SCHEMA) this.#sql.all(statement);
    this.#sql.all(`CREATE TABLE restoring (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL) STRICT`);
  }

  /** Writes 1 row. */
  static readonly PUT = `INSERT INTO restoring (id, state) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state`;
  put(restoring: Restoring): void {
    this.#sql.all(RestoreStore.PUT, JSON.stringify(restoring));
  }

  /** Ends the restore and keeps its rows, which belong to the coupon now. Call it inside a transaction. */
  finish(): void {
    this.#sql.all(`DROP TABLE restoring`);
  }

  /** Ends the restore and discards its rows. Call it inside a transaction. */
  discard(): void {
    for (const table of [...ROWS_TABLES, "restoring"]) this.#sql.all(`DROP TABLE ${table}`);
  }
}
