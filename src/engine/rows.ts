// Writes many rows with few statements.

import { ROWS_AT_ONCE_MAX, ROWS_AT_ONCE_MIN } from "../domain/limits.ts";
import type { Sql, SqlValue } from "./sql.ts";

/**
 * Runs `one` for each of a few rows, and `many` over a JSON array of more. As JSON, a single row costs three
 * times as much, and a thousand rows cost two thirds. At most `atOnceMax` rows share a statement.
 */
export function writeRows(
  sql: Sql,
  rows: readonly (readonly SqlValue[])[],
  one: string,
  many: string,
  atOnceMax: number = ROWS_AT_ONCE_MAX,
): void {
  if (rows.length < ROWS_AT_ONCE_MIN) {
    for (const row of rows) sql.all(one, ...row);
    return;
  }
  for (let from = 0; from < rows.length; from += atOnceMax) sql.all(many, JSON.stringify(rows.slice(from, from + atOnceMax)));
}
