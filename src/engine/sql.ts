// The synchronous SQL port. The object implements it over its own storage, Node over node:sqlite.

export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;

export type Sql = {
  /** Runs one statement to its end and answers all of its rows. Throws what SQLite refuses. */
  all<Row extends SqlRow>(statement: string, ...bindings: readonly SqlValue[]): Row[];
  /** Runs `work` so that all of its writes land, or, when it throws, none; then the throw goes on. */
  transaction<T>(work: () => T): T;
  /** Removes everything that is stored, and the alarm, before it returns. Outside of a transaction only. */
  deleteAll(): void;
};
