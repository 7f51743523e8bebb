// A database in memory that serves one history after the other: its tables are made once, and what a history does to it is
// one large transaction that is rolled back at its end. What the engine takes for its transactions are savepoints in it.

import { DatabaseSync, type StatementSync } from "node:sqlite";

import { SCHEMA } from "../../src/engine/schema.ts";
import { pointOf } from "./points.ts";

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** A statement as it was prepared. */
export type Statement = {
  readonly run: StatementSync;
  /** The name of its fault point. */
  readonly point: string;
  readonly is: "read" | "write" | "definition" | "read_schema";
};

/** What was written since the mark, with the number of its transaction: null while that goes on. */
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
  #isBegun = false;
  #isOpen = false;
  #isLossy = false;
  /** What was defined: now, before the transaction, and on disk. */
  #defined = 0;
  #definedBefore = 0;
  #definedOnDisk = 0;
  #journal: Written[] = [];
  #journalBefore = 0;

  constructor() {
    this.#database.exec("PRAGMA synchronous = OFF; PRAGMA page_size = 1024");
    for (const statement of SCHEMA) this.#database.exec(statement);
    this.#begin = this.#database.prepare("BEGIN");
    this.#reset = this.#database.prepare("ROLLBACK");
    this.#open = this.#database.prepare("SAVEPOINT work");
    this.#release = this.#database.prepare("RELEASE work");
    this.#back = this.#database.prepare("ROLLBACK TO work");
    this.#mark = this.#database.prepare("SAVEPOINT disk");
    this.#markAgain = this.#database.prepare("RELEASE disk");
    this.#backToMark = this.#database.prepare("ROLLBACK TO disk");
  }

  /** Whether there are tables, as far as anybody can tell. */
  get isDefined(): boolean {
    return this.#defined > 0;
  }

  /** Begins a history; with `isLossy`, {@link Database.lose} may be called in it. */
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
    if (statement.is === "definition") return this.#define();
    if (statement.is === "read_schema" && this.#defined === 0) return [];
    if (this.#defined === 0 && statement.is !== "read_schema") throw new Error("no such table");
    if (statement.is === "write") this.#hold();
    return statement.run.all(...bindings) as Row[];
  }

  /** Opens a transaction, if none is open. Called before the first write in it, because reading needs none. */
  open(): void {
    if (this.#isOpen) return;
    this.#hold();
    this.#isOpen = true;
    this.#definedBefore = this.#defined;
    this.#journalBefore = this.#journal.length;
    this.#open.get();
  }

  /** Ends the transaction, which is the one of this number; true where it wrote something. */
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
    this.#journal.length = this.#journalBefore;
  }

  /** All that was committed is on disk. */
  keep(): void {
    if (!this.#isLossy || !this.#isBegun) return;
    this.#markAgain.get();
    this.#mark.get();
    this.#definedOnDisk = this.#defined;
    this.#journal = [];
  }

  /** All that transactions after `version` wrote is gone. */
  lose(version: number): void {
    if (!this.#isLossy || !this.#isBegun) return;
    this.#backToMark.get();
    this.#defined = this.#definedOnDisk;
    this.#journal = this.#journal.filter((written) => written.version !== null && written.version <= version);
    for (const { statement, bindings } of this.#journal) {
      if (statement.is === "definition") this.#define();
      else statement.run.all(...bindings);
    }
  }

  /** As new. */
  reset(): void {
    if (this.#isBegun) this.#reset.get();
    this.#isBegun = false;
    this.#isOpen = false;
    this.#defined = 0;
    this.#definedOnDisk = 0;
    this.#journal = [];
  }

  /** The rows that a query finds, past the fault points. */
  rows(query: string): Row[] {
    const prepared = this.#queries.get(query) ?? this.#database.prepare(query);
    this.#queries.set(query, prepared);
    return prepared.all() as Row[];
  }

  close(): void {
    this.#database.close();
  }

  /** Begins what {@link Database.reset} rolls back. */
  #hold(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#begin.get();
    if (this.#isLossy) this.#mark.get();
  }

  #define(): Row[] {
    if (this.#defined >= SCHEMA.length) throw new Error("table coupon already exists");
    this.#defined += 1;
    return [];
  }

  #prepare(text: string): Statement {
    const is = roleOf(text);
    if (is === "definition" && !SCHEMA.some((known) => known === text)) throw new Error(`not in the schema: ${text}`);
    // In the reused database a definition is there already, and is never run.
    const run = this.#database.prepare(is === "definition" ? "SELECT 1 WHERE 0" : text);
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
