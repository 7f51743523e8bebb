// The requests that this isolate has answered. The service's meter adds up the counts of all isolates.

import { withDeadline } from "../deadline.ts";
import { METER_DEADLINE_MS, METER_REPORT_AGE_MS_MAX, METER_REPORT_MS } from "../domain/service-limits.ts";
import { addRequest, type RequestCounts, type RequestReport, type ServiceCounts } from "../domain/request-counts.ts";
import type { MeterCalls } from "../domain/rpc.ts";
import { logFailure } from "../log.ts";
import type { Env, Worker } from "./env.ts";
import { isWithin, pause } from "./time.ts";

/** Counts that are not yet in a report, and the report that the meter has not yet acknowledged. */
let counts: RequestCounts = {};
let unconfirmed: (Omit<RequestReport, "viewers"> & { readonly madeAt: number }) | null = null;
let isolate: string | null = null;
let seq = 0;
let viewers = 0;
let scheduledAt = 0;

/** Counts an answered request. `ms` is the time until its answer, in milliseconds. */
export function countRequest(worker: Worker, route: string, status: number, ms: number): void {
  if (worker.env.METER === undefined) return;
  addRequest(counts, route, status, ms);
  scheduleReport(worker);
}

/** Counts a stream that begins (1) or ends (-1). */
export function countViewer(change: 1 | -1): void {
  viewers += change;
}

/** Schedules a report, unless one is scheduled. Returns whether this request will send it. */
export function scheduleReport({ env, waitUntil }: Worker): boolean {
  const now = Date.now();
  // A report that is this late was cancelled with its request.
  if (env.METER === undefined || isWithin(now - scheduledAt, 3 * METER_REPORT_MS)) return false;
  scheduledAt = now;
  waitUntil(pause(METER_REPORT_MS).then(() => sendReport(env)));
  return true;
}

/** Returns the counts of all isolates, those of this one included. Null if there is no meter, or no answer. */
export async function readMeter(env: Env): Promise<ServiceCounts | null> {
  await sendReport(env);
  return callMeter(env, (meter) => meter.read());
}

/**
 * Sends the counts. Without an acknowledgement, the next call sends the same report again, and the meter ignores
 * one that it knows. A report that is too old is dropped, because the meter no longer knows the isolate.
 */
async function sendReport(env: Env): Promise<void> {
  scheduledAt = 0;
  const now = Date.now();
  if (unconfirmed !== null && !isWithin(now - unconfirmed.madeAt, METER_REPORT_AGE_MS_MAX)) unconfirmed = null;
  if (unconfirmed === null) {
    unconfirmed = { isolate: (isolate ??= crypto.randomUUID()), seq: (seq += 1), counts, madeAt: now };
    counts = {};
  }
  const sent = unconfirmed;
  const done = await callMeter(env, (meter) => meter.add({ isolate: sent.isolate, seq: sent.seq, counts: sent.counts, viewers }));
  if (done !== null && unconfirmed === sent) unconfirmed = null;
}

async function callMeter<Result>({ METER }: Env, call: (meter: MeterCalls) => Promise<Result>): Promise<Result | null> {
  if (METER === undefined) return null;
  try {
    return await withDeadline(call(METER.get(METER.idFromName("meter"))), METER_DEADLINE_MS);
  } catch (cause) {
    logFailure("meter_failed", { cause });
    return null;
  }
}
