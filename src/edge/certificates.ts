// Refusals by certificate, without a call of the coupon's object. Most of a sale's traffic comes while it is closed.

import { covers, received, startAt, type Asker, type HeldCertificate } from "../domain/certificate.ts";
import { CLOSED_CODES, type ClosedCode } from "../domain/claim.ts";
import * as limits from "../domain/limits.ts";
import type { CouponCalls, Refused } from "../domain/rpc.ts";
import { log } from "../log.ts";
import { callCoupon, type CallFailure } from "./coupon-calls.ts";
import type { Env, Worker } from "./env.ts";
import { isCurrent, nextOrder } from "./monotonic-reads.ts";
import { isWithin } from "./time.ts";

/** A refusal by certificate. Refused claims are counted, and logged in one line for many. */
export type RefusedAtEdge = Refused<ClosedCode> & { readonly servedBy: "edge"; readonly isCounted: boolean };

type Entry = {
  held: HeldCertificate | null;
  /** When it was requested, among all that this isolate does. */
  order: number;
  /** When a renewal began last, whether it goes on, and how long after its begin the next one is due. */
  renewedAt: number;
  isRenewing: boolean;
  renewAfterMs: number;
  /** Claims refused here that the object hasn't counted. */
  refused: Refusals;
};
type Refusals = Partial<Record<ClosedCode, number>>;

// Plain values, the least recently renewed first: a promise shared between requests would turn one visitor's leaving into an error for all.
const entries = new Map<string, Entry>();

/**
 * Has the object of the coupon `name` judge a claim or a hold, or refuses it here where a certificate covers the asker. `ask` must do
 * the same however often it is delivered.
 */
export async function judged<Result extends { readonly ok: boolean; readonly code?: string; readonly seq: number }>(
  worker: Worker,
  name: string,
  asker: Asker,
  ask: (coupon: CouponCalls) => Promise<Result>,
  isCounted: boolean,
): Promise<Result | CallFailure | RefusedAtEdge> {
  const { env } = worker;
  if (env.SOLD_OUT_CACHE === "off") return callCoupon(env, name, ask, "repeatable");
  const now = Date.now();
  const entry = entries.get(name);
  const certificate = entry?.held ?? null;
  if (entry !== undefined && certificate !== null && isShowable(name, entry) && covers(certificate, asker, now)) {
    const { code, seq } = certificate;
    if (isCounted) entry.refused[code] = (entry.refused[code] ?? 0) + 1;
    renewIfDue(worker, name, now);
    return { ok: false, code, seq, ...startAt(certificate, now), servedBy: "edge", isCounted };
  }
  const result = await callCoupon(env, name, ask, "repeatable");
  if (CLOSED_CODES.some((code) => code === result.code)) renewIfDue(worker, name, Date.now());
  return result;
}

/** How many coupons and bytes the certificates of this isolate take. Tests check its bounds. */
export function cacheSize(): { readonly coupons: number; readonly bytes: number } {
  return { coupons: entries.size, bytes: Array.from(entries.values()).reduce((sum, { held }) => sum + (held?.bytes ?? 0), 0) };
}

/** Whether nothing that this isolate has shown is newer. An older certificate would be as true, but its seq would go back. */
function isShowable(name: string, { held, order }: Entry): boolean {
  return held !== null && isCurrent(name, held.seq, order);
}

/** One renewal at a time, by a call of its own, which no visitor waits for or cancels. */
function renewIfDue({ env, waitUntil }: Worker, name: string, now: number): void {
  const entry = entries.get(name) ?? { held: null, order: 0, renewedAt: 0, isRenewing: false, renewAfterMs: 0, refused: {} };
  const outdatedMs = entry.held === null || isShowable(name, entry) ? Infinity : limits.CERTIFICATE_RETRY_MS;
  const dueMs = entry.isRenewing ? limits.CERTIFICATE_TAKEOVER_MS : Math.min(entry.renewAfterMs, outdatedMs);
  if (isWithin(now - entry.renewedAt, dueMs)) return;
  Object.assign(entry, { renewedAt: now, isRenewing: true });
  keep(env, name, entry);
  waitUntil(renew(env, name, entry, now));
}

async function renew(env: Env, name: string, entry: Entry, requestedAt: number): Promise<void> {
  const order = nextOrder();
  const refused = takeRefused(env, name, entry);
  const known = entry.held === null ? null : { epoch: entry.held.epoch, bypassSeq: entry.held.bypassSeq };
  // Sent once, so that the same refusals are not counted twice.
  const result = await callCoupon(env, name, (coupon) => coupon.certify({ known, refused }), "once");
  // Another one has begun because this one took too long.
  if (requestedAt !== entry.renewedAt) return;
  entry.isRenewing = false;
  entry.renewAfterMs = Date.now() - requestedAt + limits.CERTIFICATE_RETRY_MS * (1 + Math.random());
  const held = result.ok && result.certificate !== null ? received(result.certificate, entry.held, requestedAt) : null;
  if (held !== null) {
    const { CERTIFICATE_RENEWAL_MIN: min, CERTIFICATE_RENEWAL_MAX: max } = limits;
    Object.assign(entry, { held, order, renewAfterMs: held.validForMs * (min + Math.random() * (max - min)) });
  }
  keep(env, name, entry);
}

function keep(env: Env, name: string, entry: Entry): void {
  entries.delete(name);
  entries.set(name, entry);
  let bytes = cacheSize().bytes;
  for (const [oldest, dropped] of entries) {
    if (entries.size <= limits.CERTIFICATES_MAX && bytes <= limits.CERTIFICATES_BYTES_MAX) break;
    takeRefused(env, oldest, dropped);
    bytes -= dropped.held?.bytes ?? 0;
    entries.delete(oldest);
  }
}

/** Takes the counts, and logs them: a line for each refusal would cost more than the refusal. */
function takeRefused(env: Env, name: string, entry: Entry): Refusals {
  const { refused } = entry;
  entry.refused = {};
  for (const [code, count] of Object.entries(refused)) {
    if (env.REQUEST_LOG !== "off") log("refused_at_edge", { coupon: name, code, count });
  }
  return refused;
}
