// Reads of the database, and the refusal where it is not bound or fails.

import { withDeadline } from "../deadline.ts";
import { CALL_DEADLINE_MS } from "../domain/limits.ts";
import type { Env } from "../edge/env.ts";
import type { Refusal } from "./refusals.ts";

/** Returns what `read` returns. Any failure is a refusal, because a read changes nothing. */
export async function fromDatabase<Result>(
  { DB }: Env,
  read: (db: D1Database) => Promise<Result>,
  deadlineMs: number = CALL_DEADLINE_MS,
): Promise<{ readonly ok: true; readonly value: Result } | Refusal<"unavailable">> {
  if (DB === undefined) return { ok: false, code: "unavailable", error: "no database is bound: bind DB in wrangler.toml" };
  try {
    return { ok: true, value: await withDeadline(read(DB), deadlineMs) };
  } catch (cause) {
    return { ok: false, code: "unavailable", error: "the database can't answer right now: try again", cause };
  }
}

/** Returns what `change` returns, or the refusal. Without an answer, the change may have happened. */
export async function changeDatabase<Result>(
  env: Env,
  change: (db: D1Database) => Promise<Result>,
): Promise<{ readonly ok: true; readonly value: Result } | Refusal<"unavailable" | "outcome_unknown">> {
  const result = await fromDatabase(env, change);
  return result.ok || env.DB === undefined || isRefused(result.cause)
    ? result
    : { ok: false, code: "outcome_unknown", cause: result.cause };
}

/** Whether SQLite has refused a statement, as for a table that is missing. It does so before it changes anything. */
function isRefused(cause: unknown): boolean {
  return String(cause).includes("SQLITE_ERROR");
}
