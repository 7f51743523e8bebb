// Refusals by certificate, without calling the object. Most requests arrive while a sale is closed.

import { covers, received, startAt, type Asker, type HeldCertificate } from "../domain/certificate.ts";
import { CLOSED_CODES, type ClosedCode } from "../domain/claim.ts";
import * as limits from "../domain/limits.ts";
import type { LaneCalls, Refused } from "../domain/rpc.ts";
import { callCoupon, type CallFailure } from "./coupon-calls.ts";
import type { Env, Worker } from "./env.ts";
import { callByAnyWay } from "./lanes.ts";
import { isCurrent, nextOrder } from "./monotonic-reads.ts";
import { countRefusal, takeRefusals } from "./refusal-counts.ts";
import { isWithin } from "./time.ts";

/** A refusal by certificate. With `isCounted`, the object counts it, and one log line covers many of them. */
export type RefusedAtEdge = Refused<ClosedCode> & { readonly servedBy: "edge"; readonly isCounted: boolean };

type Entry = {
  held: HeldCertificate | null;
  /** The place of its request in the order of this isolate's calls. See `nextOrder`. */
  order: number;
  /** When the last renewal began, whether it is running, and how long after its begin the next one is due. */
  renewedAt: number;
  isRenewing: boolean;
  renewAfterMs: number;
};

// The least recently renewed entry is the first. Entries are plain values: when a visitor leaves, the
// platform cancels that visitor's promises, and a shared one would fail for all.
const entries = new Map<string, Entry>();

/**
 * Refuses a claim or a hold by certificate if one covers the asker. Otherwise calls the object of the coupon
 * `name`, directly or through a lane. A retry may deliver `call` more than once, so it must be repeatable. With `isCounted`, such a
 * refusal is counted as one of a claim.
 */
export async function callOrRefuse<Result extends { readonly ok: boolean; readonly code?: string; readonly seq: number }>(
  worker: Worker,
  name: string,
  asker: Asker,
  call: (coupon: LaneCalls) => Promise<Result>,
  isCounted: boolean,
): Promise<Result | CallFailure | RefusedAtEdge> {
  const { env } = worker;
  if (env.SOLD_OUT_CACHE === "off") return callByAnyWay(worker, name, asker.userId, call);
  const now = Date.now();
  const entry = entries.get(name);
  const certificate = entry?.held ?? null;
  if (entry !== undefined && certificate !== null && isShowable(name, entry) && covers(certificate, asker, now)) {
    const { code, seq } = certificate;
    if (isCounted) countRefusal(worker, name, code);
    renewIfDue(worker, name, now);
    return { ok: false, code, seq, ...startAt(certificate, now), servedBy: "edge", isCounted };
  }
  const result = await callByAnyWay(worker, name, asker.userId, call);
  if (CLOSED_CODES.some((code) => code === result.code)) renewIfDue(worker, name, Date.now());
  return result;
}

/** Returns how many certificates this isolate caches, and the bytes of their bypass sets. */
export function cacheSize(): { readonly coupons: number; readonly bytes: number } {
  return { coupons: entries.size, bytes: Array.from(entries.values()).reduce((sum, { held }) => sum + (held?.bytes ?? 0), 0) };
}

/** Whether this isolate has returned nothing newer. An older certificate is true, but its seq goes back. */
function isShowable(name: string, { held, order }: Entry): boolean {
  return held !== null && isCurrent(name, held.seq, order);
}

/** Starts a renewal if one is due and none is running. It does not depend on its visitor's request. */
function renewIfDue({ env, waitUntil }: Worker, name: string, now: number): void {
  const entry = entries.get(name) ?? { held: null, order: 0, renewedAt: 0, isRenewing: false, renewAfterMs: 0 };
  const outdatedMs = entry.held === null || isShowable(name, entry) ? Infinity : limits.CERTIFICATE_RETRY_MS;
  const dueMs = entry.isRenewing ? limits.CERTIFICATE_TAKEOVER_MS : Math.min(entry.renewAfterMs, outdatedMs);
  if (isWithin(now - entry.renewedAt, dueMs)) return;
  Object.assign(entry, { renewedAt: now, isRenewing: true });
  store(name, entry);
  waitUntil(renew(env, name, entry, now));
}

async function renew(env: Env, name: string, entry: Entry, requestedAt: number): Promise<void> {
  const order = nextOrder();
  const refused = takeRefusals(env, name);
  const known = entry.held === null ? null : { epoch: entry.held.epoch, bypassSeq: entry.held.bypassSeq };
  // No retry: it could count the same refusals twice.
  const result = await callCoupon(env, name, (coupon) => coupon.certify({ known, refused }), "once");
  // This renewal took too long, and another one has begun.
  if (requestedAt !== entry.renewedAt) return;
  entry.isRenewing = false;
  entry.renewAfterMs = Date.now() - requestedAt + limits.CERTIFICATE_RETRY_MS * (1 + Math.random());
  const held = result.ok && result.certificate !== null ? received(result.certificate, entry.held, requestedAt) : null;
  if (held !== null) {
    const { CERTIFICATE_RENEWAL_MIN: min, CERTIFICATE_RENEWAL_MAX: max } = limits;
    Object.assign(entry, { held, order, renewAfterMs: held.validForMs * (min + Math.random() * (max - min)) });
  }
  store(name, entry);
}

/** Stores an entry as the most recent one, and drops the oldest entries beyond the bounds. */
function store(name: string, entry: Entry): void {
  entries.delete(name);
  entries.set(name, entry);
  let bytes = cacheSize().bytes;
  for (const [oldest, dropped] of entries) {
    if (entries.size <= limits.CERTIFICATES_MAX && bytes <= limits.CERTIFICATES_BYTES_MAX) break;
    bytes -= dropped.held?.bytes ?? 0;
    entries.delete(oldest);
  }
}
