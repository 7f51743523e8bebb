// What an isolate may refuse without asking the coupon's object: most of a sale's traffic comes after the last unit is gone.

import { CERTIFICATE_RENEWAL_MS, CERTIFICATE_TAKEOVER_MS, CERTIFICATES_BYTES_MAX, CERTIFICATES_MAX } from "../domain/limits.ts";
import { bytesOf, mayContain } from "../domain/membership.ts";
import type { CouponCalls, Refused } from "../domain/messages.ts";
import { keyMember, userMember, type Certificate, type CertificateWish, type CertifiedCode } from "../domain/sold-out.ts";
import { callCoupon, type CallFailure } from "./coupon-calls.ts";
import type { Env } from "./env.ts";

/** A refusal that the object was not asked for. */
export type RefusedAtEdge = Refused<CertifiedCode> & { readonly servedBy: "edge" };

type Kept = Pick<Certificate, "code" | "epoch" | "seq"> & {
  readonly mayContain: (member: string) => boolean;
  readonly bytes: number;
  /** Not believed any more from then on. */
  readonly freshUntil: number;
};

/** A coupon that was seen closed here. */
type Entry = {
  kept: Kept | null;
  /** When a certificate was last asked for, and whether that is still going on. */
  askedAt: number;
  isAsking: boolean;
  /** One that was asked for before then is not believed: something has happened since. */
  notBefore: number;
  refusedCount: number;
};

// Plain values, the least recently renewed first: a promise shared between requests would turn one's leaving into an error for all.
const entries = new Map<string, Entry>();
let keptBytes = 0;

/** What an answer of the object has to show here: whether it gave out a unit just now, or why not, with a certificate maybe. */
type Answer = {
  readonly ok: boolean;
  readonly code?: string;
  readonly certificate?: Certificate;
  readonly replayed?: boolean;
  readonly isNew?: boolean;
};

/**
 * Has the object of the coupon `name` judge a claim or a hold of `userId`, or refuses it here where a certificate of that very
 * object says that it would be refused. Who may have a claim or a hold, or sends a `key` that may be in use, is always judged
 * there. `ask` must pass the wish on and be the same however often it is delivered.
 */
export async function judged<Result extends Answer>(
  env: Env,
  name: string,
  userId: string,
  key: string | null,
  ask: (coupon: CouponCalls, wish: CertificateWish | undefined) => Promise<Result>,
): Promise<Result | CallFailure | RefusedAtEdge> {
  if (env.SOLD_OUT_CACHE === "off") return callCoupon(env.COUPONS, name, (coupon) => ask(coupon, undefined), "repeatable");
  const entry = entries.get(name);
  const askedAt = Date.now();
  const wish = entry === undefined ? undefined : wishOf(name, entry, askedAt, env.REQUEST_LOG !== "off");
  const refusal = entry === undefined || wish !== undefined ? null : refusalBy(entry, userId, key, askedAt);
  if (refusal !== null) return refusal;

  const result = await callCoupon(env.COUPONS, name, (coupon) => ask(coupon, wish), "repeatable");

  if (wish !== undefined && entry?.askedAt === askedAt) entry.isAsking = false;
  // Whoever got a unit has to be told so from now on.
  if (result.ok && (result.replayed === false || result.isNew === true)) forgetSoldOut(name);
  if (!result.ok && (result.code === "out_of_stock" || result.code === "sale_ended")) {
    remember(name, "certificate" in result ? result.certificate : undefined, askedAt);
  }
  return result;
}

/** Forgets what is known of a coupon that something was done to: nothing that was asked for before now is believed. */
export function forgetSoldOut(name: string): void {
  const entry = entries.get(name);
  if (entry === undefined) return;
  keep(entry, null);
  entry.notBefore = Date.now();
}

/** What is remembered, in coupons and in bytes: what tests of its bounds ask. */
export function remembered(): { readonly coupons: number; readonly bytes: number } {
  return { coupons: entries.size, bytes: keptBytes };
}

/** One request at a time asks for a certificate, a while before the last one ends; the others go on with that one. */
function wishOf(name: string, entry: Entry, now: number, isLogged: boolean): CertificateWish | undefined {
  const { kept } = entry;
  if (kept !== null && now < kept.freshUntil - CERTIFICATE_RENEWAL_MS) return undefined;
  // Who asked may have left in the middle.
  if (entry.isAsking && now - entry.askedAt < CERTIFICATE_TAKEOVER_MS) return undefined;
  const refused = kept === null || entry.refusedCount === 0 ? null : { code: kept.code, count: entry.refusedCount };
  // One line for all of them: a line for each would cost more than the refusal.
  if (refused !== null && isLogged) console.log(JSON.stringify({ event: "refused_at_edge", coupon: name, ...refused }));
  entry.isAsking = true;
  entry.askedAt = now;
  entry.refusedCount = 0;
  return { known: kept === null ? null : { epoch: kept.epoch, seq: kept.seq }, refused };
}

function refusalBy(entry: Entry, userId: string, key: string | null, now: number): RefusedAtEdge | null {
  const { kept } = entry;
  if (kept === null || now >= kept.freshUntil) return null;
  if (kept.mayContain(userMember(userId)) || (key !== null && kept.mayContain(keyMember(key)))) return null;
  entry.refusedCount += 1;
  return { ok: false, code: kept.code, seq: kept.seq, servedBy: "edge" };
}

function remember(name: string, certificate: Certificate | undefined, askedAt: number): void {
  const entry = entries.get(name) ?? { kept: null, askedAt: 0, isAsking: false, notBefore: 0, refusedCount: 0 };
  if (certificate === undefined || askedAt <= entry.notBefore) {
    if (entries.has(name)) return;
  } else keep(entry, believed(certificate, entry.kept, askedAt));
  entries.delete(name);
  entries.set(name, entry);
  for (const [oldest, dropped] of entries) {
    if (entries.size <= CERTIFICATES_MAX && keptBytes <= CERTIFICATES_BYTES_MAX) break;
    keep(dropped, null);
    entries.delete(oldest);
  }
}

function keep(entry: Entry, kept: Kept | null): void {
  keptBytes += (kept?.bytes ?? 0) - (entry.kept?.bytes ?? 0);
  entry.kept = kept;
}

/** Counted from when it was asked for, which was before the object looked. Without members it is good only with the right ones here. */
function believed({ code, epoch, seq, members, validForMs }: Certificate, before: Kept | null, askedAt: number): Kept | null {
  const freshUntil = askedAt + validForMs;
  if (members !== null) return { code, epoch, seq, mayContain: mayContain(members), bytes: bytesOf(members), freshUntil };
  return before !== null && before.epoch === epoch && before.seq === seq ? { ...before, code, freshUntil } : null;
}
