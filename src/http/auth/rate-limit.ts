// The limits of one client address and of one user, by the platform's bindings. They keep calls off the object.

import { RATE_LIMIT_WINDOW_SECONDS } from "../../domain/limits.ts";
import type { Env } from "../../edge/env.ts";
import { logFailure } from "../../log.ts";
import type { Exceeded } from "../refusals.ts";

/** Who is counted. `network`: where the request came from. `isVerified`: whether a token names the user. */
export type Subject = {
  readonly coupon: string;
  readonly userId: string;
  readonly network: string | null;
  readonly isVerified: boolean;
};

/** A deployment fixes the limit of a binding, so each value of a variable has its own binding. */
const COUNTERS = {
  ADDRESS_LIMIT: [
    [100, "ADDRESS_100_PER_10S"],
    [1000, "ADDRESS_1000_PER_10S"],
  ],
  RATE_LIMIT: [
    [5, "CLAIMS_5_PER_10S"],
    [20, "CLAIMS_20_PER_10S"],
    [100, "CLAIMS_100_PER_10S"],
  ],
} as const;

/**
 * Counts a request, and returns the limit that it exceeds, if any. A request beyond the limit of its address
 * does not count for the user. Without a token, any caller can name a victim, so the user's budget is one
 * for each network.
 */
export async function exceededLimit(env: Env, { coupon, userId, network, isVerified }: Subject): Promise<Exceeded | null> {
  const ofAddress = network === null ? null : await countedBeyond(env, "ADDRESS_LIMIT", network);
  if (ofAddress !== null) return { policy: "address", requestsMax: ofAddress, windowSeconds: RATE_LIMIT_WINDOW_SECONDS };
  // No name has a line break, so different subjects have different keys.
  const key = isVerified || network === null ? `${coupon}\n${userId}` : `${coupon}\n${userId}\n${network}`;
  const ofUser = await countedBeyond(env, "RATE_LIMIT", key);
  return ofUser === null ? null : { policy: "user", requestsMax: ofUser, windowSeconds: RATE_LIMIT_WINDOW_SECONDS };
}

/**
 * Counts a request under `key`. Returns the limit if the request exceeds it. A value between two limits means
 * the lower one.
 */
async function countedBeyond(env: Env, variable: keyof typeof COUNTERS, key: string): Promise<number | null> {
  const chosen = env[variable];
  if (chosen === null) return null;
  const [requestsMax, binding] = COUNTERS[variable].findLast(([requests]) => requests <= chosen) ?? COUNTERS[variable][0];
  return (await isWithinLimit(env[binding], key)) ? null : requestsMax;
}

/**
 * Counts a request under `key`, and returns whether it is within the limit. A counter that is not bound or fails lets
 * the request pass: the stock and the operator's token do not depend on it.
 */
export async function isWithinLimit(counter: RateLimit | undefined, key: string): Promise<boolean> {
  try {
    const outcome = await counter?.limit({ key });
    return outcome?.success !== false;
  } catch (cause) {
    logFailure("rate_limit_failed", { cause });
    return true;
  }
}
