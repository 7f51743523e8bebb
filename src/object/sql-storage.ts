// The SQL port over the storage of an object.

import type { Sql, SqlRow } from "../engine/sql.ts";

/** Returns the SQL port over `storage`. Calls `failed` if a deletion can't be written to disk. */
export function sqlOver(storage: DurableObjectStorage, failed: (cause: unknown) => void = () => undefined): Sql {
  return {
    // `toArray` drains the cursor. An open cursor makes the commit fail, which loses all writes of the turn.
    all: <Row extends SqlRow>(statement: string, ...bindings: readonly (string | number | null)[]) =>
      storage.sql.exec<Row>(statement, ...bindings).toArray(),
    // An exception alone does not roll back earlier writes. Only `transactionSync` does.
    transaction: (work) => storage.transactionSync(work),
    // Both take effect at once, before other code runs. The promises resolve when the disk has it, as the
    // output gate.
    deleteAll: () => void Promise.all([storage.deleteAlarm(), storage.deleteAll()]).catch(failed),
  };
}
