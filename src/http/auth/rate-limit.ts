// The rate limit of one user for one coupon, by the platform's bindings. It keeps calls off the object.

import type { Env } from "../../edge/env.ts";
import { logFailure } from "../../log.ts";

type RateLimitEnv = Pick<Env, "RATE_LIMIT" | "CLAIMS_100_PER_10S" | "CLAIMS_20_PER_10S" | "CLAIMS_5_PER_10S">;
type Limit = { readonly requests: number; readonly counter: RateLimit };

/**
 * Returns the limit in force, or null if there is none. A deployment fixes the limit of a binding, so each
 * value of `RATE_LIMIT` has its own binding. A number between two means the lower one.
 */
export function rateLimitOf(env: RateLimitEnv): Limit | null {
  if (env.RATE_LIMIT === null) return null;
  if (env.RATE_LIMIT < 20) return limitOf(5, env.CLAIMS_5_PER_10S);
  if (env.RATE_LIMIT < 100) return limitOf(20, env.CLAIMS_20_PER_10S);
  return limitOf(100, env.CLAIMS_100_PER_10S);
}

function limitOf(requests: number, counter: RateLimit | undefined): Limit | null {
  return counter === undefined ? null : { requests, counter };
}

/** Whether this request exceeds the limit. A failed counter lets it pass: the stock does not depend on it. */
export async function isTooMany({ counter }: Limit, coupon: string, userId: string): Promise<boolean> {
  try {
    // No name has a line break, so each pair has its own key.
    const { success } = await counter.limit({ key: `${coupon}\n${userId}` });
    return !success;
  } catch (cause) {
    logFailure("rate_limit_failed", { cause });
    return false;
  }
}
