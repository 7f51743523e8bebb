// Shows in the database which sinks of a coupon fail.

import { withDeadline } from "../deadline.ts";
import { ENDPOINTS_MS_MAX } from "../domain/delivery-limits.ts";
import { clearFailure, recordFailure } from "../read-model/failing-sinks.ts";
import type { Sink, SinkStore } from "./sink-store.ts";

/** Shows whether a sink fails. If the database can't be written, the next delivery shows it. Never throws. */
export async function reportSink(db: D1Database, coupon: string, store: SinkStore, sinkId: string): Promise<void> {
  const sink = store.get(sinkId);
  if (sink === undefined || (sink.attemptCount === 0 && !sink.isReported)) return;
  const isReported = sink.attemptCount > 0;
  const { status, attemptCount } = sink;
  const report = isReported ? recordFailure(db, { coupon, sink: sinkId, status, attemptCount }) : clearFailure(db, coupon, sinkId);
  const isStored = await withDeadline(report, ENDPOINTS_MS_MAX).then(
    () => true,
    () => false,
  );
  if (isStored && isReported !== sink.isReported) store.update(sink, { isReported });
}

/** Shows no more of sinks that are about to be removed. Throws if the database fails. */
export async function clearReports(db: D1Database | undefined, coupon: string, sinks: readonly Sink[]): Promise<void> {
  for (const { id, isReported } of sinks) if (isReported && db !== undefined) await clearFailure(db, coupon, id);
}
