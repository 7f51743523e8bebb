// How often one user may ask for one coupon: the platform's rate-limit binding, judged before the object is touched.

import { RATE_LIMIT_MAX } from "../domain/limits.ts";
import type { Env } from "./env.ts";

/** The requests that one user may make of one coupon per window, or null where nothing is limited. */
export function rateLimitOf(env: Pick<Env, "CLAIM_RATE_LIMIT" | "RATE_LIMIT">): number | null {
  if (env.CLAIM_RATE_LIMIT === undefined || env.RATE_LIMIT === "off") return null;
  return Math.floor(RATE_LIMIT_MAX / weightOf(env.RATE_LIMIT));
}

/** Whether this request is one too many. A counter that fails lets everybody through: the stock is guarded elsewhere. */
export async function isRateLimited(env: Pick<Env, "CLAIM_RATE_LIMIT" | "RATE_LIMIT">, coupon: string, userId: string): Promise<boolean> {
  const { CLAIM_RATE_LIMIT: counter } = env;
  if (counter === undefined || env.RATE_LIMIT === "off") return false;
  // No name can contain a line break, so no two pairs share a key.
  const key = `${coupon}\n${userId}`;
  try {
    for (let count = 0; count < weightOf(env.RATE_LIMIT); count += 1) {
      if (!(await counter.limit({ key })).success) return true;
    }
  } catch (cause) {
    console.error(JSON.stringify({ event: "rate_limit_failed", cause: String(cause) }));
  }
  return false;
}

/** How often a request is counted: the binding's limit is fixed when deployed, so a lower one counts each request for several. */
function weightOf(limit: string | undefined): number {
  const wanted = Number(limit ?? RATE_LIMIT_MAX);
  return Number.isInteger(wanted) && wanted >= 1 && wanted <= RATE_LIMIT_MAX ? Math.ceil(RATE_LIMIT_MAX / wanted) : 1;
}
