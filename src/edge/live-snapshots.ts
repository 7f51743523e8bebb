// What an isolate's viewers see of coupons. However many they are, each coupon is looked at once a second at most.

import { SNAPSHOT_REFRESH_MS, SNAPSHOT_TAKEOVER_MS } from "../domain/limits.ts";
import type { Found } from "../domain/messages.ts";
import { callCoupon } from "./coupon-calls.ts";
import type { CouponNamespace } from "./env.ts";

/** A coupon as last seen; null once it is gone. */
type Watched = { seen: Found | null; askedAt: number; isAsking: boolean; viewerCount: number };

// Plain values: a promise or a stream shared between requests would turn one viewer's leaving into an error for all.
const watched = new Map<string, Watched>();

/** Begins to watch a coupon for one more viewer, who saw it as `seen`. Call {@link unwatch} when the viewer leaves. */
export function watch(name: string, seen: Found): void {
  const entry = watched.get(name);
  if (entry === undefined) {
    watched.set(name, { seen, askedAt: Date.now(), isAsking: false, viewerCount: 1 });
    return;
  }
  entry.viewerCount += 1;
  if (isNewer(seen, entry.seen)) entry.seen = seen;
}

/** One viewer less; the last one leaves nothing behind. */
export function unwatch(name: string): void {
  const entry = watched.get(name);
  if (entry === undefined) return;
  entry.viewerCount -= 1;
  if (entry.viewerCount === 0) watched.delete(name);
}

/** How many viewers this isolate has, of how many coupons. */
export function watching(): { readonly coupons: number; readonly viewers: number } {
  return { coupons: watched.size, viewers: Array.from(watched.values()).reduce((sum, { viewerCount }) => sum + viewerCount, 0) };
}

/**
 * The coupon as its viewers may see it now: null once it was deleted, undefined where nobody watches it. The first viewer
 * who comes by a second after the last look takes the next one; the others see what it brings.
 */
export async function latest(coupons: CouponNamespace, name: string): Promise<Found | null | undefined> {
  const entry = watched.get(name);
  if (entry === undefined) return undefined;
  const age = Date.now() - entry.askedAt;
  if (age < SNAPSHOT_REFRESH_MS || (entry.isAsking && age < SNAPSHOT_TAKEOVER_MS)) return entry.seen;

  entry.isAsking = true;
  entry.askedAt = Date.now();
  const result = await callCoupon(coupons, name, (coupon) => coupon.read({ claimedBy: false }), "read");
  entry.isAsking = false;
  if (result.ok) entry.seen = result;
  else if (result.code === "coupon_not_found") entry.seen = null;
  return entry.seen;
}

function isNewer(a: Found, b: Found | null): boolean {
  return b === null || a.now >= b.now;
}
