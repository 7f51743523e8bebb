// How often one user may ask for one coupon: the platform's rate-limit bindings, judged before the object is touched.

import type { Env } from "../../edge/env.ts";
import { logFailure } from "../../log.ts";

type RateLimitEnv = Pick<Env, "RATE_LIMIT" | "CLAIMS_100_PER_10S" | "CLAIMS_20_PER_10S" | "CLAIMS_5_PER_10S">;
type Limit = { readonly requests: number; readonly counter: RateLimit };

/**
 * The limit in force, or null where nothing is limited. The platform fixes a binding's limit when the Worker is deployed, so
 * there is a binding for each that the var `RATE_LIMIT` can choose; a number between two means the lower one.
 */
export function rateLimitOf(env: RateLimitEnv): Limit | null {
  if (env.RATE_LIMIT === "off") return null;
  const wanted = Number(env.RATE_LIMIT ?? 100);
  if (wanted > 0 && wanted < 20) return limitOf(5, env.CLAIMS_5_PER_10S);
  if (wanted >= 20 && wanted < 100) return limitOf(20, env.CLAIMS_20_PER_10S);
  return limitOf(100, env.CLAIMS_100_PER_10S);
}

function limitOf(requests: number, counter: RateLimit | undefined): Limit | null {
  return counter === undefined ? null : { requests, counter };
}

/** Whether this request is one too many. A counter that fails lets requests through: the stock is guarded elsewhere. */
export async function isTooMany({ counter }: Limit, coupon: string, userId: string): Promise<boolean> {
  try {
    // No name can contain a line break, so no two pairs share a key.
    const { success } = await counter.limit({ key: `${coupon}\n${userId}` });
    return !success;
  } catch (cause) {
    logFailure("rate_limit_failed", { cause });
    return false;
  }
}
