// A database in memory that serves one history after the other. Its tables are made once. A history is one
// transaction that is rolled back at its end, and the engine's transactions are savepoints in it.

import { DatabaseSync, type StatementSync } from "node:sqlite";

import { DepartedStore } from "../../src/engine/departed-store.ts";
import { SCHEMA } from "../../src/engine/schema.ts";
import { pointOf } from "./points.ts";

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** A prepared statement. */
export type Statement = {
  readonly run: StatementSync;
  /** The name of its fault point. */
  readonly point: string;
  readonly is: "read" | "write" | "definition" | "read_schema";
};

/** A write since the mark, with the number of its transaction; null during that transaction. */
type Written = { version: number | null; readonly statement: Statement; readonly bindings: readonly Value[] };

export class Database {
  readonly #database = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, Statement>();
  readonly #queries = new Map<string, StatementSync>();
  readonly #begin: StatementSync;
  readonly #reset: StatementSync;
  readonly #open: StatementSync;
  readonly #release: StatementSync;
  readonly #back: StatementSync;
  readonly #mark: StatementSync;
  readonly #markAgain: StatementSync;
  readonly #backToMark: StatementSync;
  readonly isBare: boolean;
  #isBegun = false;
  #isOpen = false;
  #isLossy = false;
  /** How many definitions exist: now, before the transaction, and on disk. */
  #defined = 0;
  #definedBefore = 0;
  #definedOnDisk = 0;
  #journal: Written[] = [];
  #journalBefore = 0;

  /** A bare database has no tables: each definition runs, as a restore needs it. */
  constructor(isBare = false) {
    this.isBare = isBare;
    this.#database.exec("PRAGMA synchronous = OFF; PRAGMA page_size = 1024");
    for (const statement of [...(isBare ? [] : SCHEMA), DepartedStore.CREATE]) this.#database.exec(statement);
    this.#begin = this.#database.prepare("BEGIN");
    this.#reset = this.#database.prepare("ROLLBACK");
    this.#open = this.#database.prepare("SAVEPOINT work");
    this.#release = this.#database.prepare("RELEASE work");
    this.#back = this.#database.prepare("ROLLBACK TO work");
    this.#mark = this.#database.prepare("SAVEPOINT disk");
    this.#markAgain = this.#database.prepare("RELEASE disk");
    this.#backToMark = this.#database.prepare("ROLLBACK TO disk");
  }

  /** Whether the product sees tables. */
  get isDefined(): boolean {
    return this.#defined > 0;
  }

  /** Whether it has the rows of a restore that is not finished. */
  get isRestoring(): boolean {
    return this.isBare && !this.isDefined && this.rows("SELECT 1 FROM sqlite_master WHERE name = 'restoring'").length > 0;
  }

  /** Begins a history. {@link Database.lose} needs `isLossy`. */
  begin(isLossy: boolean): void {
    this.#isLossy = isLossy;
  }

  statement(text: string): Statement {
    return this.#statements.get(text) ?? this.#prepare(text);
  }

  /** Runs a statement to its end. */
  run(statement: Statement, bindings: readonly Value[]): Row[] {
    const isWrite = statement.is === "definition" || statement.is === "write";
    if (isWrite && this.#isLossy) this.#journal.push({ version: null, statement, bindings });
    if (this.isBare) {
      if (isWrite) this.#hold();
      const rows = statement.run.all(...bindings) as Row[];
      if (statement.is === "definition") this.#findCoupon();
      return rows;
    }
    if (statement.is === "definition") return this.#define();
    if (statement.is === "read_schema" && this.#defined === 0) return [];
    if (this.#defined === 0 && statement.is !== "read_schema") throw new Error("no such table");
    if (statement.is === "write") this.#hold();
    return statement.run.all(...bindings) as Row[];
  }

  /** Opens a transaction, if none is open. Only a write needs one. */
  open(): void {
    if (this.#isOpen) return;
    this.#hold();
    this.#isOpen = true;
    this.#definedBefore = this.#defined;
    this.#journalBefore = this.#journal.length;
    this.#open.get();
  }

  /** Commits the transaction with this number. Returns whether it wrote. */
  commit(version: number): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#release.get();
    for (const written of this.#journal) written.version ??= version;
    return true;
  }

  rollback(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#back.get();
    this.#release.get();
    this.#defined = this.#definedBefore;
    if (this.isBare) this.#findCoupon();
    this.#journal.length = this.#journalBefore;
  }

  /** All commits are on disk. */
  keep(): void {
    if (!this.#isLossy || !this.#isBegun) return;
    this.#markAgain.get();
    this.#mark.get();
    this.#definedOnDisk = this.#defined;
    this.#journal = [];
  }

  /** The writes of all transactions after `version` are gone. */
  lose(version: number): void {
    if (!this.#isLossy || !this.#isBegun) return;
    this.#backToMark.get();
    this.#defined = this.#definedOnDisk;
    this.#journal = this.#journal.filter((written) => written.version !== null && written.version <= version);
    for (const { statement, bindings } of this.#journal) {
      if (statement.is === "definition" && !this.isBare) this.#define();
      else statement.run.all(...bindings);
    }
    if (this.isBare) this.#findCoupon();
  }

  /** Ends the history: all is as before. */
  reset(): void {
    if (this.#isBegun) this.#reset.get();
    this.#isBegun = false;
    this.#isOpen = false;
    this.#defined = 0;
    this.#definedOnDisk = 0;
    this.#journal = [];
  }

  /** Returns the rows of a query, past the fault points. */
  rows(query: string): Row[] {
    const prepared = this.#queries.get(query) ?? this.#database.prepare(query);
    this.#queries.set(query, prepared);
    return prepared.all() as Row[];
  }

  close(): void {
    this.#database.close();
  }

  /** Begins the transaction that {@link Database.reset} rolls back. */
  #hold(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#begin.get();
    if (this.#isLossy) this.#mark.get();
  }

  /** In a bare database there is a coupon while its table exists. */
  #findCoupon(): void {
    this.#defined = this.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'coupon'").length;
  }

  #define(): Row[] {
    if (this.#defined >= SCHEMA.length) throw new Error("table coupon already exists");
    this.#defined += 1;
    return [];
  }

  #prepare(text: string): Statement {
    const is = roleOf(text);
    if (is === "definition" && !this.isBare && !SCHEMA.some((known) => known === text)) throw new Error(`not in the schema: ${text}`);
    // The tables exist already, so a definition never runs.
    const run = this.#database.prepare(is === "definition" && !this.isBare ? "SELECT 1 WHERE 0" : text);
    const statement = { run, point: pointOf(text), is };
    this.#statements.set(text, statement);
    return statement;
  }
}

function roleOf(text: string): Statement["is"] {
  if (/^\s*CREATE\b/i.test(text)) return "definition";
  if (/\bsqlite_(master|schema)\b/.test(text)) return "read_schema";
  return /^\s*SELECT\b/i.test(text) ? "read" : "write";
}
