// The engine's SQL port over node:sqlite, in memory.

import { DatabaseSync, type StatementSync } from "node:sqlite";

import type { Sql, SqlRow } from "../../src/engine/sql.ts";

export type NodeSql = Sql & { readonly database: DatabaseSync };

export function nodeSql(database: DatabaseSync = new DatabaseSync(":memory:")): NodeSql {
  const prepared = new Map<string, StatementSync>();
  function prepare(statement: string): StatementSync {
    const known = prepared.get(statement) ?? database.prepare(statement);
    prepared.set(statement, known);
    return known;
  }
  return {
    database,
    all: <Row extends SqlRow>(statement: string, ...bindings: readonly (string | number | null)[]) =>
      prepare(statement).all(...bindings) as Row[],
    transaction(work) {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (cause) {
        database.exec("ROLLBACK");
        throw cause;
      }
    },
    deleteAll() {
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      for (const { name } of tables) database.exec(`DROP TABLE "${String(name)}"`);
    },
  };
}
