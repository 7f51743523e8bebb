// What an isolate may refuse without asking the coupon's object: most of a sale's traffic comes after the last unit is gone.

import { CERTIFICATE_RENEWAL_MS, CERTIFICATE_TAKEOVER_MS, CERTIFICATES_BYTES_MAX, CERTIFICATES_MAX } from "../domain/limits.ts";
import { bytesOf, mayContain } from "../domain/membership.ts";
import type { CouponCalls, Refused } from "../domain/messages.ts";
import { keyMember, userMember, type Certificate, type CertificateWish, type CertifiedCode } from "../domain/sold-out.ts";
import { callCoupon, type CallFailure } from "./coupon-calls.ts";
import type { CouponNamespace, Env } from "./env.ts";
import { isWithin } from "./time.ts";

/** A refusal that the object was not asked for; if it is counted, one line is logged for many of them. */
export type RefusedAtEdge = Refused<CertifiedCode> & { readonly servedBy: "edge"; readonly isCounted: boolean };

/** Who asks, and whether a refusal is counted: the object counts claims, and no holds. */
type Asker = { readonly userId: string; readonly key: string | null; readonly isCounted: boolean };

type Kept = Pick<Certificate, "code" | "epoch" | "seq" | "validForMs"> & {
  readonly mayContain: (member: string) => boolean;
  readonly bytes: number;
  /** It counts from when it was asked for, which was before the object looked. */
  readonly askedAt: number;
};

/** A coupon that was seen closed here. */
type Entry = {
  kept: Kept | null;
  /** When a certificate was last asked for, and whether that is still going on. */
  askedAt: number;
  isAsking: boolean;
  /** One that was asked for before then is not believed: something has happened since. */
  notBefore: number;
  /** The highest seq that the object has told, and when: what was asked for by then has to stand there or later. */
  told: { readonly seq: number; readonly at: number };
  /** Claims refused here that the object has not been told of. */
  refused: Partial<Record<CertifiedCode, number>> | null;
};

const NOTHING_TOLD = { seq: 0, at: 0 };

// Plain values, the least recently renewed first: a promise shared between requests would turn one's leaving into an error for all.
const entries = new Map<string, Entry>();
let keptBytes = 0;

/** What an answer of the object has to show here: whether it gave out a unit just now, or why not, with a certificate maybe, and of what coupon. */
type Answer = {
  readonly ok: boolean;
  readonly seq?: number;
  readonly code?: string;
  readonly certificate?: Certificate;
  readonly replayed?: boolean;
  readonly isNew?: boolean;
  readonly coupon?: { readonly epoch: string };
};

/**
 * Has the object of the coupon `name` judge a claim or a hold, or refuses it here where a certificate of that very object says
 * that it would be refused. Who may have a claim or a hold, or sends a key that may be in use, is always judged there. `ask`
 * must pass the wish on and be the same however often it is delivered. `isCounted` is for claims.
 */
export async function judged<Result extends Answer>(
  env: Env,
  name: string,
  userId: string,
  key: string | null,
  ask: (coupon: CouponCalls, wish: CertificateWish | undefined) => Promise<Result>,
  isCounted = true,
): Promise<Result | CallFailure | RefusedAtEdge> {
  if (env.SOLD_OUT_CACHE === "off") return callCoupon(env.COUPONS, name, (coupon) => ask(coupon, undefined), "repeatable");
  const asker = { userId, key, isCounted };
  const entry = entries.get(name);
  const askedAt = Date.now();
  // The clock went back: nobody knows how old it is.
  if (entry !== undefined && entry.kept !== null && askedAt < entry.kept.askedAt) keep(entry, null);
  const wish = entry === undefined ? undefined : wishOf(name, entry, askedAt, env.REQUEST_LOG !== "off");
  const refusal = entry === undefined || wish !== undefined ? null : refusalBy(entry, asker, askedAt);
  if (refusal !== null) return refusal;

  let isDelivered = false;
  const result = await callCoupon(
    env.COUPONS,
    name,
    (coupon) => {
      // A second delivery must not have the same refusals counted twice.
      const told = wish !== undefined && isDelivered ? { ...wish, refused: null } : wish;
      isDelivered = true;
      return ask(coupon, told);
    },
    "repeatable",
  );

  if (wish !== undefined && entry?.askedAt === askedAt) entry.isAsking = false;
  if (isNews(entries.get(name)?.kept ?? null, asker, result)) forgetSoldOut(name);
  outdate(name, result, askedAt);
  if (!result.ok && (result.code === "out_of_stock" || result.code === "sale_ended")) {
    remember(name, entry, "certificate" in result ? result.certificate : undefined, askedAt);
  }
  return result;
}

/** Forgets what is known of a coupon that something was done to: nothing that was asked for before now is believed. */
export function forgetSoldOut(name: string): void {
  const entry = entries.get(name);
  if (entry === undefined) return;
  keep(entry, null);
  entry.notBefore = Date.now();
  entry.told = NOTHING_TOLD;
}

/**
 * Asks the object of the coupon `name` something that changes nothing, and heeds what it says: nobody is refused by a certificate
 * that is older than what others were shown here. `userId` is who is told what they have, where it is about one; `deadlineMs` as in {@link callCoupon}.
 */
export async function lookAt<Result extends Answer>(
  coupons: CouponNamespace,
  name: string,
  ask: (coupon: CouponCalls) => Promise<Result>,
  { userId, deadlineMs }: { readonly userId?: string; readonly deadlineMs?: number | undefined } = {},
): Promise<Result | CallFailure> {
  const askedAt = Date.now();
  const result = await callCoupon(coupons, name, ask, "read", deadlineMs);
  if (isOfAnother(entries.get(name)?.kept ?? null, result, userId)) forgetSoldOut(name);
  outdate(name, result, askedAt);
  return result;
}

/** What is remembered, in coupons and in bytes: what tests of its bounds ask. */
export function remembered(): { readonly coupons: number; readonly bytes: number } {
  return { coupons: entries.size, bytes: keptBytes };
}

/**
 * Whether an answer shows that the certificate here is out of date, or may be: somebody got a unit, or may have got one, or
 * somebody of whom it knows nothing was told something else than it says. "Nothing was changed" shows nothing.
 */
function isNews(kept: Kept | null, asker: Asker, result: Answer): boolean {
  if (result.ok && (result.replayed === false || result.isNew === true)) return true;
  if (result.code === "outcome_unknown" || result.code === "coupon_not_found") return true;
  if (kept === null || result.code === kept.code || result.code === "unavailable") return false;
  // Who was asked about for the sake of a key alone may have something all the same.
  return result.code === "idempotency_key_reused" ? !isKnown(kept, asker) : !kept.mayContain(userMember(asker.userId));
}

/** Whether an answer about a coupon, or about what this user has of it, is not about the one that the certificate is of. */
function isOfAnother(kept: Kept | null, { ok, code, coupon }: Answer, userId: string | undefined): boolean {
  if (code === "coupon_not_found") return true;
  if (kept === null || !ok) return false;
  return (coupon !== undefined && coupon.epoch !== kept.epoch) || (userId !== undefined && !kept.mayContain(userMember(userId)));
}

/** Ends a certificate that is older than an answer of the object, and keeps one from being believed that is still on its way. */
function outdate(name: string, { code, seq }: Answer, askedAt: number): void {
  const entry = entries.get(name);
  if (entry === undefined || seq === undefined) return;
  // No coupon goes back by itself: this is another one of that name, unless the object did not get as far as to look.
  const isJudged = code !== "unavailable" && code !== "invalid_request";
  if (isJudged && seq < entry.told.seq && askedAt > entry.told.at) forgetSoldOut(name);
  if (entry.kept !== null && entry.kept.seq < seq) keep(entry, null);
  if (entry.told.seq < seq) entry.told = { seq, at: Date.now() };
}

/** One request at a time asks for a certificate, a while before the last one ends; the others go on with that one. */
function wishOf(name: string, entry: Entry, now: number, isLogged: boolean): CertificateWish | undefined {
  const { kept } = entry;
  if (kept !== null && isWithin(now - kept.askedAt, kept.validForMs - CERTIFICATE_RENEWAL_MS)) return undefined;
  // Who asked may have left in the middle.
  if (entry.isAsking && isWithin(now - entry.askedAt, CERTIFICATE_TAKEOVER_MS)) return undefined;
  const refused = entry.refused;
  if (isLogged) logRefused(name, entry);
  entry.refused = null;
  entry.isAsking = true;
  entry.askedAt = now;
  return { known: kept === null ? null : { epoch: kept.epoch, seq: kept.seq }, refused };
}

function refusalBy(entry: Entry, asker: Asker, now: number): RefusedAtEdge | null {
  const { kept } = entry;
  if (kept === null || !isWithin(now - kept.askedAt, kept.validForMs) || isKnown(kept, asker)) return null;
  const { isCounted } = asker;
  if (isCounted) entry.refused = { ...entry.refused, [kept.code]: (entry.refused?.[kept.code] ?? 0) + 1 };
  return { ok: false, code: kept.code, seq: kept.seq, servedBy: "edge", isCounted };
}

/** Whether the certificate may know this user, or this key. */
function isKnown(kept: Kept, { userId, key }: Asker): boolean {
  return kept.mayContain(userMember(userId)) || (key !== null && kept.mayContain(keyMember(key)));
}

/** Believes a certificate that `asker` asked for, unless it was forgotten or something newer is known by now. */
function remember(name: string, asker: Entry | undefined, certificate: Certificate | undefined, askedAt: number): void {
  const entry = entries.get(name) ?? { kept: null, askedAt: 0, isAsking: false, notBefore: 0, told: NOTHING_TOLD, refused: null };
  const isInOrder = askedAt > entry.notBefore && askedAt >= (entry.kept?.askedAt ?? 0) && askedAt <= Date.now();
  if (certificate !== undefined && entry === asker && isInOrder && !isOutdated(certificate, entry, askedAt)) {
    keep(entry, believed(certificate, entry.kept, askedAt));
    // Of a coupon that was created again, it counts from there.
    entry.told = { seq: certificate.seq, at: Date.now() };
  } else if (entries.has(name)) return;
  entries.delete(name);
  entries.set(name, entry);
  for (const [oldest, dropped] of entries) {
    if (entries.size <= CERTIFICATES_MAX && keptBytes <= CERTIFICATES_BYTES_MAX) break;
    logRefused(oldest, dropped);
    keep(dropped, null);
    entries.delete(oldest);
  }
}

/** Whether the object has told of more since it was asked for. */
function isOutdated({ seq }: Certificate, { told }: Entry, askedAt: number): boolean {
  return askedAt <= told.at && seq < told.seq;
}

function keep(entry: Entry, kept: Kept | null): void {
  keptBytes += (kept?.bytes ?? 0) - (entry.kept?.bytes ?? 0);
  entry.kept = kept;
}

/** Without members it is good only with the right ones here. */
function believed({ code, epoch, seq, members, validForMs }: Certificate, before: Kept | null, askedAt: number): Kept | null {
  if (members !== null) return { code, epoch, seq, mayContain: mayContain(members), bytes: bytesOf(members), validForMs, askedAt };
  return before !== null && before.epoch === epoch && before.seq === seq ? { ...before, code, validForMs, askedAt } : null;
}

/** One line for all of them: a line for each would cost more than the refusal. */
function logRefused(name: string, { refused }: Entry): void {
  for (const [code, count] of Object.entries(refused ?? {})) {
    console.log(JSON.stringify({ event: "refused_at_edge", coupon: name, code, count }));
  }
}
