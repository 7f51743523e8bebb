// The engine's SQL port over an object's own storage.

import type { Sql, SqlRow } from "../engine/sql.ts";

/** Gives the engine the storage of one object; `failed` is called where what was removed could not be removed on disk. */
export function sqlOver(storage: DurableObjectStorage, failed: (cause: unknown) => void = () => undefined): Sql {
  return {
    // toArray drains the cursor: one that is left open makes the commit fail and loses every write of the turn.
    all: <Row extends SqlRow>(statement: string, ...bindings: readonly (string | number | null)[]) =>
      storage.sql.exec<Row>(statement, ...bindings).toArray(),
    // A throw does not undo the writes made before it; only this does.
    transaction: (work) => storage.transactionSync(work),
    // Both take effect at once, before anything else can run here; the promises are about the disk, as the output gate is.
    deleteAll: () => void Promise.all([storage.deleteAlarm(), storage.deleteAll()]).catch(failed),
  };
}
