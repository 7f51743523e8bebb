// The engine's SQL port over an object's own storage.

import type { Sql, SqlRow } from "../engine/sql.ts";

/** Gives the engine the storage of one object. */
export function sqlOver(storage: DurableObjectStorage): Sql {
  return {
    // toArray drains the cursor: one that is left open makes the commit fail and loses every write of the turn.
    all: <Row extends SqlRow>(statement: string, ...bindings: readonly (string | number | null)[]) =>
      storage.sql.exec<Row>(statement, ...bindings).toArray(),
    // A throw does not undo the writes made before it; only this does.
    transaction: (work) => storage.transactionSync(work),
  };
}
