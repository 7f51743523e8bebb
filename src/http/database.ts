// Reads of the database, and the refusal where it is not bound or fails.

import { CALL_DEADLINE_MS } from "../domain/limits.ts";
import type { Env } from "../edge/env.ts";
import { withDeadline } from "../edge/time.ts";
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
