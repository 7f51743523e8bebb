// D1 over node:sqlite, as far as the product uses it. A history is one transaction that is rolled back at its end.

import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

import type { Row, Value } from "./database.ts";

const MIGRATIONS = new URL("../../migrations/", import.meta.url);

type Query = { readonly text: string; readonly values: readonly Value[] };
type Result = { readonly results: Row[]; readonly meta: { readonly changes: number } };
/** Sends queries to the database, and returns the answer that comes back. */
type Send = (run: () => Result[]) => Promise<Result[]>;

export class ReadModel {
  readonly #database = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();

  constructor() {
    for (const file of readdirSync(MIGRATIONS).toSorted()) this.#database.exec(readFileSync(new URL(file, MIGRATIONS), "utf8"));
  }

  begin(): void {
    this.#run("BEGIN");
  }

  reset(): void {
    this.#run("ROLLBACK");
  }

  rows(text: string, ...values: readonly Value[]): Row[] {
    return this.#run(text, values).results;
  }

  /** Returns the binding of an instance. */
  binding(send: Send): object {
    const ask = async (...queries: readonly Query[]): Promise<Result[]> => send(() => this.#batch(queries));
    const statement = (text: string, values: readonly Value[] = []) => ({
      text,
      values,
      bind: (...bound: readonly Value[]) => statement(text, bound),
      run: async () => (await ask({ text, values }))[0],
      all: async () => (await ask({ text, values }))[0],
      first: async () => (await ask({ text, values }))[0]?.results[0] ?? null,
    });
    return { prepare: (text: string) => statement(text), batch: (queries: readonly Query[]) => ask(...queries) };
  }

  close(): void {
    this.#database.close();
  }

  #batch(queries: readonly Query[]): Result[] {
    this.#run("SAVEPOINT batch");
    try {
      return queries.map(({ text, values }) => this.#run(text, values));
    } catch (cause) {
      this.#run("ROLLBACK TO batch");
      throw cause;
    } finally {
      this.#run("RELEASE batch");
    }
  }

  #run(text: string, values: readonly Value[] = []): Result {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, statement);
    if (/^\s*(?:SELECT|UPDATE\b.*RETURNING)/is.test(text)) return { results: statement.all(...values) as Row[], meta: { changes: 0 } };
    return { results: [], meta: { changes: Number(statement.run(...values).changes) } };
  }
}
