// What an isolate's viewers see of coupons. However many they are, each coupon is looked at once a second at most.

import {
  CALL_DEADLINE_MS,
  FIRST_LOOKS_MAX,
  SNAPSHOT_IDLE_MS,
  SNAPSHOT_REFRESH_MS,
  SNAPSHOT_TAKEOVER_MS,
  SNAPSHOT_WAIT_MS,
} from "../domain/limits.ts";
import type { Found, ReadResult } from "../domain/messages.ts";
import type { CallFailure } from "./coupon-calls.ts";
import type { CouponNamespace } from "./env.ts";
import { lookAt } from "./sold-out.ts";
import { isWithin, pause } from "./time.ts";

/** A coupon as last seen (null once it is gone), when somebody last set out to look, and when a stream last asked. */
type Watched = { seen: Found | null; askedAt: number; isAsking: boolean; wantedAt: number; viewerCount: number };

// Plain values: a promise or a stream shared between requests would turn one viewer's leaving into an error for all.
const watched = new Map<string, Watched>();

/** A look for newcomers, where nobody watches yet or what is seen is too old for them; its answer, once it has come. */
type FirstLook = { answer: ReadResult | CallFailure | null; readonly askedAt: number; readonly number: number };
/** The last one of each coupon, the oldest first. */
const firstLooks = new Map<string, FirstLook>();
let firstLookCount = 0;

/**
 * The coupon as one more viewer may first see it: as this isolate's viewers see it, or as the one newcomer sees it who looks for all
 * who arrive meanwhile; `unavailable` where nobody's look has come within the deadline of a call. `seqMin` is the last that this
 * viewer has seen: it is shown nothing older, unless a look that began after it arrived brought no more.
 */
export async function firstSeen(coupons: CouponNamespace, name: string, seqMin: number): Promise<ReadResult | CallFailure> {
  const arrivedAfter = firstLookCount;
  const awaited = new Set<FirstLook>();
  for (let waitedMs = 0; waitedMs < CALL_DEADLINE_MS; waitedMs += SNAPSHOT_WAIT_MS) {
    const shared = recentlySeen(name, seqMin);
    if (shared !== undefined) return shared;
    const last = firstLooks.get(name);
    if (last !== undefined && (last.answer === null || last.number > arrivedAfter)) awaited.add(last);
    for (const { answer, number } of awaited) {
      if (answer !== null && (number > arrivedAfter || (answer.ok && answer.seq >= seqMin))) return answer;
    }
    if (last === undefined || last.answer !== null || !isWithin(Date.now() - last.askedAt, SNAPSHOT_TAKEOVER_MS)) {
      return lookFirst(coupons, name, CALL_DEADLINE_MS - waitedMs);
    }
    await pause(SNAPSHOT_WAIT_MS);
  }
  return { ok: false, code: "unavailable", cause: "nobody's look has come" };
}

async function lookFirst(coupons: CouponNamespace, name: string, deadlineMs: number): Promise<ReadResult | CallFailure> {
  const now = Date.now();
  firstLookCount += 1;
  const look: FirstLook = { answer: null, askedAt: now, number: firstLookCount };
  firstLooks.delete(name);
  firstLooks.set(name, look);
  for (const [oldest, { askedAt }] of firstLooks) {
    if (firstLooks.size <= FIRST_LOOKS_MAX && isWithin(now - askedAt, SNAPSHOT_TAKEOVER_MS)) break;
    firstLooks.delete(oldest);
  }
  look.answer = await readOf(coupons, name, deadlineMs);
  return look.answer;
}

/** Begins to watch a coupon for one more viewer, who saw it as `seen`. Call {@link unwatch} when the viewer leaves. */
export function watch(name: string, seen: Found): void {
  const now = Date.now();
  for (const [other, { wantedAt }] of watched) if (now - wantedAt >= SNAPSHOT_IDLE_MS) watched.delete(other);
  const entry = watched.get(name);
  if (entry === undefined) {
    // What was seen a while ago is to be looked at again at once.
    watched.set(name, { seen, askedAt: Math.min(now, seen.now), isAsking: false, wantedAt: now, viewerCount: 1 });
    return;
  }
  entry.viewerCount += 1;
  if (entry.seen !== null && seen.now < entry.seen.now) return;
  entry.seen = seen;
  if (!entry.isAsking) entry.askedAt = Math.max(entry.askedAt, Math.min(now, seen.now));
}

/** Whether somebody has to look: the last look is a second old, or took so long that whoever looked may have left. */
function isLookDue({ askedAt, isAsking }: Watched, now: number): boolean {
  return now - askedAt >= (isAsking ? SNAPSHOT_TAKEOVER_MS : SNAPSHOT_REFRESH_MS);
}

/** What this isolate's viewers see, while nobody has to look; undefined where nobody watches, or where the newcomer has seen more. */
function recentlySeen(name: string, seqMin: number): Found | undefined {
  const entry = watched.get(name);
  if (entry === undefined || entry.seen === null || isLookDue(entry, Date.now())) return undefined;
  return entry.seen.seq >= seqMin ? entry.seen : undefined;
}

/** One viewer less; the last one leaves nothing behind. */
export function unwatch(name: string): void {
  const entry = watched.get(name);
  if (entry === undefined) return;
  entry.viewerCount -= 1;
  if (entry.viewerCount <= 0) watched.delete(name);
}

/** How many viewers this isolate has, of how many coupons: what tests of leaving without a trace ask. */
export function watching(): { readonly coupons: number; readonly viewers: number } {
  return { coupons: watched.size, viewers: Array.from(watched.values()).reduce((sum, { viewerCount }) => sum + viewerCount, 0) };
}

/** What a viewer may see now, and whether it was this viewer who had to look. */
export type Latest = { readonly seen: Found | null; readonly hasLooked: boolean };

/**
 * The coupon as its viewers may see it: `seen` is null once it was deleted; undefined where nobody watches it. The first
 * viewer who comes by a second after the last look takes the next one; the others see what it brings.
 */
export async function latest(coupons: CouponNamespace, name: string): Promise<Latest | undefined> {
  const entry = watched.get(name);
  if (entry === undefined) return undefined;
  const now = Date.now();
  entry.wantedAt = now;
  if (!isLookDue(entry, now)) return { seen: entry.seen, hasLooked: false };

  entry.isAsking = true;
  entry.askedAt = now;
  const result = await readOf(coupons, name);
  // Somebody else looked because this took too long: what they saw is newer.
  if (entry.askedAt !== now) return { seen: entry.seen, hasLooked: true };
  entry.isAsking = false;
  if (result.ok) entry.seen = result;
  else if (result.code === "coupon_not_found") entry.seen = null;
  else
    console.error(
      JSON.stringify({
        event: "look_failed",
        coupon: name,
        code: result.code,
        cause: "cause" in result ? String(result.cause) : undefined,
      }),
    );
  return { seen: entry.seen, hasLooked: true };
}

function readOf(coupons: CouponNamespace, name: string, deadlineMs?: number): Promise<ReadResult | CallFailure> {
  return lookAt(coupons, name, (coupon) => coupon.read({ claimedBy: false }), { deadlineMs });
}
