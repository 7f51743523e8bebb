// What an isolate's viewers see of coupons. However many they are, each coupon is looked at once a second at most.

import { SNAPSHOT_IDLE_MS, SNAPSHOT_REFRESH_MS, SNAPSHOT_TAKEOVER_MS } from "../domain/limits.ts";
import type { Found } from "../domain/messages.ts";
import { callCoupon } from "./coupon-calls.ts";
import type { CouponNamespace } from "./env.ts";

/** A coupon as last seen (null once it is gone), when somebody last set out to look, and when a stream last asked. */
type Watched = { seen: Found | null; askedAt: number; isAsking: boolean; wantedAt: number; viewerCount: number };

// Plain values: a promise or a stream shared between requests would turn one viewer's leaving into an error for all.
const watched = new Map<string, Watched>();

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
  if (entry.seen === null || seen.now >= entry.seen.now) entry.seen = seen;
}

/**
 * What this isolate's viewers were shown within the last second, for one more of them; undefined where nobody watches, or
 * where the newcomer has seen more: `seqMin` is the last that it knows of.
 */
export function recentlySeen(name: string, seqMin: number): Found | undefined {
  const entry = watched.get(name);
  if (entry === undefined || entry.seen === null || Date.now() - entry.askedAt >= SNAPSHOT_REFRESH_MS) return undefined;
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
  const age = now - entry.askedAt;
  if (age < SNAPSHOT_REFRESH_MS || (entry.isAsking && age < SNAPSHOT_TAKEOVER_MS)) return { seen: entry.seen, hasLooked: false };

  entry.isAsking = true;
  entry.askedAt = now;
  const result = await callCoupon(coupons, name, (coupon) => coupon.read({ claimedBy: false }), "read");
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
