// Deleted incarnations whose ledgers the object keeps. Each has a database of its own, so the statements that move and
// discard tables are not carried out: they say which database is read.

import { DepartedStore } from "../../src/engine/departed-store.ts";
import { LedgerStore } from "../../src/engine/ledger-store.ts";
import type { Database, Row, Value } from "./database.ts";

/** A user of a deleted incarnation that an erasure has named so; `version` is null during the transaction. */
type Renamed = { readonly userId: Value; readonly alias: Value; version: number | null };
type Kept = { readonly table: string; readonly database: Database; forgottenAt: number | null; renamed: Renamed[] };

const OWN = /^(?:DROP TRIGGER|DROP TABLE|ALTER TABLE) |^CREATE TABLE IF NOT EXISTS departed |^DELETE FROM departed |"ledger_/;

export class Departures {
  #kept: Kept[] = [];
  /** In this transaction: the table that the ledger becomes, and the tables that are discarded. */
  #departing: string | null = null;
  #discarded: string[] = [];

  /** All pseudonyms that erasures gave to users of deleted incarnations. */
  readonly pseudonyms = new Map<string, string>();
  #hasRenamed = false;

  /** Returns the rows of a statement about deleted incarnations, or null for any other one. */
  run(text: string, bindings: readonly Value[]): Row[] | null {
    if (text === DepartedStore.HAS_TABLE) return this.#all.length === 0 ? [] : [{ found: 1 }];
    if (text === DepartedStore.SELECT_ALL) return this.#all.flatMap((one) => one.database.run(one.database.statement(text), []));
    if (!OWN.test(text.trimStart())) return null;
    const [table = ""] = /"ledger_[^"]*"/.exec(text) ?? [];
    if (text.startsWith("ALTER TABLE ledger RENAME TO ")) this.#departing = table;
    else if (text === `DROP TABLE ${table}`) this.#discarded.push(this.#of(table).table);
    else if (text.startsWith("UPDATE ")) return this.#rename(this.#of(table), bindings);
    else if (table !== "") {
      const { database, renamed } = this.#of(table);
      const rows = database.run(database.statement(LedgerStore.SELECT_EVENTS("ledger")), bindings);
      return rows.map((row): Row => Object.assign({}, row, { userId: nameOf(renamed, row["userId"] ?? null) }));
    }
    return [];
  }

  /** The tables stay as they were, because a crash may undo it. */
  #rename({ database, renamed }: Kept, [alias = null, userId = null]: readonly Value[]): Row[] {
    const rows = database.rows(`SELECT seq, user_id FROM ledger`).filter((row) => nameOf(renamed, row["user_id"] ?? null) === userId);
    if (rows.length === 0) return [];
    for (const { user_id: stored = null } of rows) renamed.push({ userId: stored, alias, version: null });
    this.pseudonyms.set(String(alias), String(userId));
    this.#hasRenamed = true;
    return rows;
  }

  /** Whether this transaction moves or discards a ledger. */
  get isChanged(): boolean {
    return this.#departing !== null || this.#discarded.length > 0 || this.#hasRenamed;
  }

  /** The transaction ends. Returns whether the coupon of `database` departs. */
  commit(version: number, database: Database): boolean {
    for (const { renamed } of this.#kept) for (const one of renamed) one.version ??= version;
    for (const table of this.#discarded) this.#of(table).forgottenAt = version;
    const table = this.#departing;
    if (table !== null) this.#kept.push({ table, database, forgottenAt: null, renamed: [] });
    this.rollback();
    return table !== null;
  }

  rollback(): void {
    this.#departing = null;
    this.#discarded = [];
    this.#hasRenamed = false;
    for (const one of this.#kept) one.renamed = one.renamed.filter(({ version }) => version !== null);
  }

  /** All that is kept is discarded. */
  clear(version: number): void {
    for (const one of this.#all) one.forgottenAt = version;
  }

  /** All after `version` is lost; `databases` are left. */
  lose(version: number, databases: readonly Database[]): void {
    this.#kept = this.#kept.filter(({ database }) => databases.slice(0, -1).includes(database));
    for (const one of this.#kept) {
      if ((one.forgottenAt ?? 0) > version) one.forgottenAt = null;
      one.renamed = one.renamed.filter((renamed) => (renamed.version ?? Infinity) <= version);
    }
  }

  /** Whether the object keeps no ledger of a deleted incarnation. */
  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  get #all(): Kept[] {
    return this.#kept.filter(({ forgottenAt }) => forgottenAt === null);
  }

  #of(table: string): Kept {
    const found = this.#all.find((one) => one.table === table);
    if (found === undefined) throw new Error(`no such table: ${table}`);
    return found;
  }
}

function nameOf(renamed: readonly Renamed[], userId: Value): Value {
  return renamed.find((one) => one.userId === userId)?.alias ?? userId;
}
