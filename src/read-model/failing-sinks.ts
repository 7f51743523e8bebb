// The sinks that fail now, so that one read shows them for all coupons.

import type { SinkState } from "../domain/delivery.ts";

export type FailingSink = Pick<SinkState, "status" | "attemptCount"> & { readonly coupon: string; readonly sink: string };

/** Stores that a sink of a coupon fails. Writes 1 row. */
export async function recordFailure(db: D1Database, { coupon, sink, status, attemptCount }: FailingSink): Promise<void> {
  const upsert = `
    INSERT INTO failing_sinks (coupon, sink, status, attempts) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET status = excluded.status, attempts = excluded.attempts`;
  await db.prepare(upsert).bind(coupon, sink, status, attemptCount).run();
}

/** Stores that a sink of a coupon fails no more. Writes 1 row. */
export async function clearFailure(db: D1Database, coupon: string, sink: string): Promise<void> {
  await db.prepare(`DELETE FROM failing_sinks WHERE coupon = ?1 AND sink = ?2`).bind(coupon, sink).run();
}

/** Lists at most `limit` failing sinks. A deleted webhook is none, also before its couriers forget it. Writes nothing. */
export async function failingSinks(db: D1Database, limit: number): Promise<FailingSink[]> {
  const select = `
    SELECT coupon, sink, status, attempts AS attemptCount FROM failing_sinks
    WHERE sink = 'd1' OR EXISTS (SELECT 1 FROM webhooks WHERE id = sink) ORDER BY coupon, sink LIMIT ?1`;
  const { results } = await db.prepare(select).bind(limit).all<FailingSink>();
  return results;
}
