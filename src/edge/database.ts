// Calls of the database (D1): the deadline, and what a failure means.

import { CALL_DEADLINE_MS } from "../domain/limits.ts";
import type { CallFailure } from "./coupon-calls.ts";

/** `error` is a more specific sentence for the caller. */
export type DatabaseFailure = CallFailure & { readonly error?: string };

const NOT_BOUND = "this Worker has no database: bind DB as in wrangler.toml";

/**
 * Calls the database. Returns what `work` returns, or the failure. Never throws. After the deadline a mutation stays unknown,
 * because the database may still execute it.
 */
export async function callDatabase<Value>(
  db: D1Database | undefined,
  effect: "read" | "mutation",
  work: (db: D1Database) => Promise<Value>,
): Promise<{ readonly ok: true; readonly value: Value } | DatabaseFailure> {
  if (db === undefined) return { ok: false, code: "unavailable", error: NOT_BOUND, cause: "DB is not bound" };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${CALL_DEADLINE_MS} ms`)), CALL_DEADLINE_MS);
  });
  try {
    return { ok: true, value: await Promise.race([work(db), deadline]) };
  } catch (cause) {
    return { ok: false, code: effect === "read" || isRefused(cause) ? "unavailable" : "outcome_unknown", cause };
  } finally {
    clearTimeout(timer ?? null);
  }
}

/** Whether SQLite has refused a statement, as for a table that is missing. Its transaction then changes nothing. */
function isRefused(cause: unknown): boolean {
  return String(cause).includes("SQLITE_ERROR");
}
