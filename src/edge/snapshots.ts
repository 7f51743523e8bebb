// The snapshot of each coupon in an isolate. One visitor's read serves all visitors.

import { unchangedUntil } from "../domain/coupon.ts";
import {
  CALL_DEADLINE_MS,
  SNAPSHOT_AHEAD_MS,
  SNAPSHOT_MS_MAX,
  SNAPSHOT_POLL_MS,
  SNAPSHOT_TAKEOVER_MS,
  SNAPSHOTS_MAX,
} from "../domain/limits.ts";
import type { ReadResult } from "../domain/rpc.ts";
import { callCoupon, type CallFailure } from "./coupon-calls.ts";
import type { Worker } from "./env.ts";
import { isCurrent, nextOrder } from "./monotonic-reads.ts";
import { isWithin, pause } from "./time.ts";

type Read = { readonly order: number; readonly requestedAt: number; result: ReadResult | CallFailure | null };

/** The latest completed read, by the order of begin, and the latest running one. */
type Entry = { last: Read | null; current: Read | null };

// The least recently read entry is the first. Entries are plain values: when a visitor leaves, the platform
// cancels that visitor's promises, and a shared one would fail for all.
const entries = new Map<string, Entry>();

/**
 * Returns the coupon, at most a second old. It is not older than an answer that this isolate gave before this
 * call. It is older than `seqMin` only if a read that begins after this call finds it so. Returns
 * `unavailable` if no read ends within the deadline of a call.
 */
export async function snapshot(worker: Worker, name: string, seqMin = 0): Promise<ReadResult | CallFailure> {
  const arrived = nextOrder();
  for (let waitedMs = 0; waitedMs < CALL_DEADLINE_MS; waitedMs += SNAPSHOT_POLL_MS) {
    const now = Date.now();
    const known = freshSnapshot(name, now);
    if (known !== null && known.seq >= seqMin) return known;
    const last = entries.get(name)?.last ?? null;
    if (last !== null && last.order > arrived && last.result !== null) return last.result;
    const isAhead = known !== null && waitedMs < SNAPSHOT_AHEAD_MS;
    if (!isAhead && !isReading(name, now)) return readNow(worker, name, CALL_DEADLINE_MS - waitedMs);
    await pause(SNAPSHOT_POLL_MS);
  }
  return { ok: false, code: "unavailable", cause: "no read has ended" };
}

/** The state that a stream may send, or null if it must wait. `hasRead`: whether this stream read it. */
export type StreamRead = { readonly result: ReadResult | CallFailure | null; readonly hasRead: boolean };

/** Returns the coupon for a running stream. All streams together read it at most once a second. */
export async function readForStream(worker: Worker, name: string): Promise<StreamRead> {
  const now = Date.now();
  const last = entries.get(name)?.last ?? null;
  const isRecent = last !== null && isWithin(now - last.requestedAt, SNAPSHOT_MS_MAX);
  if (isRecent || isReading(name, now)) return { result: freshSnapshot(name, now), hasRead: false };
  return { result: await readNow(worker, name), hasRead: true };
}

/** Returns the cached snapshot if the isolate may show it at `now`, or else null. */
function freshSnapshot(name: string, now: number): ReadResult | null {
  const { order, requestedAt, result } = entries.get(name)?.last ?? { order: 0, requestedAt: 0, result: null };
  if (result === null || "cause" in result || !isCurrent(name, result.seq, order)) return null;
  if (!result.ok && result.code !== "coupon_not_found") return null;
  const untilMs = result.ok ? unchangedUntil(result.coupon, result.now) - result.now : Infinity;
  return isWithin(now - requestedAt, Math.min(SNAPSHOT_MS_MAX, untilMs)) ? result : null;
}

/** Whether a running read may be waited for. The visitor of a very long read may have left. */
function isReading(name: string, now: number): boolean {
  const current = entries.get(name)?.current ?? null;
  return current !== null && isWithin(now - current.requestedAt, SNAPSHOT_TAKEOVER_MS);
}

/** Reads the coupon for all waiting visitors. The read continues when its own visitor leaves. */
async function readNow({ env, waitUntil }: Worker, name: string, deadlineMs?: number): Promise<ReadResult | CallFailure> {
  const read: Read = { order: nextOrder(), requestedAt: Date.now(), result: null };
  const entry = entries.get(name) ?? { last: null, current: null };
  entry.current = read;
  entries.delete(name);
  entries.set(name, entry);
  for (const oldest of entries.keys()) {
    if (entries.size <= SNAPSHOTS_MAX) break;
    entries.delete(oldest);
  }
  const reading = callCoupon(env, name, (coupon) => coupon.read({ claimedBy: false }), "read", deadlineMs).then((result) => {
    read.result = result;
    if (entry.current === read) entry.current = null;
    if (entry.last === null || entry.last.order < read.order) entry.last = read;
    return result;
  });
  waitUntil(reading);
  return reading;
}
