// Changes of a sale that must not rest on a stale view.

import { call, couponPath, type Answered, type CallOptions, type Refused } from "../api.ts";
import { changeSince, type Coupon } from "./coupon.ts";

/** Returns the sale as it is now. */
export async function readCoupon(name: string, signal?: AbortSignal): Promise<Answered<Coupon>> {
  const answer = await call<Omit<Coupon, "seq">>(couponPath(name, "?claimed_by=omit"), signal === undefined ? {} : { signal });
  return answer.ok ? { ...answer, value: { ...answer.value, seq: Number(answer.headers.get("Coupon-Seq")) } } : answer;
}

/** What another operator has changed meanwhile, and the sale as it is now. */
export type Conflict = Refused & { readonly now: Coupon };

/** How often a change is sent with `If-Match`. Each claim changes the tag, so a busy sale may meet none. */
const TRIES_MAX = 4;

/**
 * Sends a change if the settings are still those that the operator has `seen`. Claims in between are no conflict. The last try has
 * no `If-Match`: it follows a read that found nothing changed, and a busy sale must stay changeable.
 */
export async function sendIfUnchanged(seen: Coupon, rest: string, options: CallOptions): Promise<Answered<Coupon> | Conflict> {
  for (let left = TRIES_MAX; ; left -= 1) {
    const now = await readCoupon(seen.name);
    if (!now.ok) return now;
    const change = changeSince(seen, now.value);
    if (change !== null) return { ok: false, status: 412, code: "changed_elsewhere", error: change, fields: {}, now: now.value };
    const tag = now.headers.get("ETag");
    const headers = left === 0 || tag === null ? {} : { "If-Match": tag };
    const answer = await call<Coupon>(couponPath(seen.name, rest), { ...options, headers });
    if (answer.ok || answer.status !== 412) return answer;
  }
}
