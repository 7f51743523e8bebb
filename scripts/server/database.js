// A D1 database for workerd, which has the binding but no database behind it. The binding sends HTTP requests, and
// an object answers them from its SQLite. It answers after its writes are on disk. Values are texts, numbers and null.

import { DurableObject } from "cloudflare:workers";

export class Database extends DurableObject {
  /** Runs a query, or an array of them, in one transaction. */
  async fetch(request) {
    const isRows = new URL(request.url).searchParams.get("resultsFormat") === "ROWS_AND_COLUMNS";
    const queries = [await request.json()].flat();
    try {
      return Response.json(this.ctx.storage.transactionSync(() => queries.map((query) => this.#run(query, isRows))));
    } catch (cause) {
      return Response.json({ success: false, error: cause.message });
    }
  }

  #run({ sql: statement, params }, isRows) {
    const { sql } = this.ctx.storage;
    const before = this.#changes();
    const startedAt = Date.now();
    const cursor = sql.exec(statement, ...(params ?? []));
    const columns = cursor.columnNames;
    const rows = [...cursor.raw()];
    const changes = this.#changes() - before;
    const results = isRows ? { columns, rows } : rows.map((row) => Object.fromEntries(row.map((cell, index) => [columns[index], cell])));
    const counts = { changes, rows_read: cursor.rowsRead, rows_written: cursor.rowsWritten };
    return { success: true, results, meta: { ...counts, duration: Date.now() - startedAt, size_after: sql.databaseSize } };
  }

  #changes() {
    return this.ctx.storage.sql.exec("SELECT total_changes() AS count").one().count;
  }
}

export default {
  fetch: (request, { DATABASE }) => DATABASE.getByName("DB").fetch(request),
};
