// Deleted incarnations whose ledgers the object keeps. Each has a database of its own, so the statements that move and
// discard tables are not carried out: they say which database is read.

import { DepartedStore } from "../../src/engine/departed-store.ts";
import { LedgerStore } from "../../src/engine/ledger-store.ts";
import type { Database, Row, Value } from "./database.ts";

type Kept = { readonly table: string; readonly database: Database; forgottenAt: number | null };

const OWN = /^(?:DROP TRIGGER|DROP TABLE|ALTER TABLE) |^CREATE TABLE IF NOT EXISTS departed |^DELETE FROM departed |"ledger_/;

export class Departures {
  #kept: Kept[] = [];
  /** In this transaction: the table that the ledger becomes, and the tables that are discarded. */
  #departing: string | null = null;
  #discarded: string[] = [];

  /** Returns the rows of a statement about deleted incarnations, or null for any other one. */
  run(text: string, bindings: readonly Value[]): Row[] | null {
    if (text === DepartedStore.HAS_TABLE) return this.#all.length === 0 ? [] : [{ found: 1 }];
    if (text === DepartedStore.SELECT_ALL) return this.#all.flatMap((one) => one.database.run(one.database.statement(text), []));
    if (!OWN.test(text.trimStart())) return null;
    const [table = ""] = /"ledger_[^"]*"/.exec(text) ?? [];
    if (text.startsWith("ALTER TABLE ledger RENAME TO ")) this.#departing = table;
    else if (text === `DROP TABLE ${table}`) this.#discarded.push(this.#of(table).table);
    else if (table !== "") {
      const { database } = this.#of(table);
      return database.run(database.statement(LedgerStore.SELECT_EVENTS("ledger")), bindings);
    }
    return [];
  }

  /** Whether this transaction moves or discards a ledger. */
  get isChanged(): boolean {
    return this.#departing !== null || this.#discarded.length > 0;
  }

  /** The transaction ends. Returns whether the coupon of `database` departs. */
  commit(version: number, database: Database): boolean {
    for (const table of this.#discarded) this.#of(table).forgottenAt = version;
    const table = this.#departing;
    if (table !== null) this.#kept.push({ table, database, forgottenAt: null });
    this.rollback();
    return table !== null;
  }

  rollback(): void {
    this.#departing = null;
    this.#discarded = [];
  }

  /** All that is kept is discarded. */
  clear(version: number): void {
    for (const one of this.#all) one.forgottenAt = version;
  }

  /** All after `version` is lost; `databases` are left. */
  lose(version: number, databases: readonly Database[]): void {
    this.#kept = this.#kept.filter(({ database }) => databases.slice(0, -1).includes(database));
    for (const one of this.#kept) if ((one.forgottenAt ?? 0) > version) one.forgottenAt = null;
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
