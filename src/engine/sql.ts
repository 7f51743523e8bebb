// The synchronous SQL port. The object implements it over its storage, tests in Node over node:sqlite.

export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;
/** A record as SQLite returns it: with numbers for booleans. */
export type Stored<T> = { readonly [Field in keyof T]: T[Field] extends boolean ? number : T[Field] };

export type Sql = {
  /** Runs one statement and returns all its rows. Throws if SQLite refuses it. */
  all<Row extends SqlRow>(statement: string, ...bindings: readonly SqlValue[]): Row[];
  /** Runs `work` in one transaction. If `work` throws, rolls back all its writes and rethrows. */
  transaction<T>(work: () => T): T;
  /** Removes all that is stored, and the alarm, before it returns. Call it outside of transactions only. */
  deleteAll(): void;
};
