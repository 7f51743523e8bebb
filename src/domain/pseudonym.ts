// The pseudonym of an erased user: a hash that only the coupon can compute.

import type { ClaimRequest } from "./claim.ts";
import { hmacSha256 } from "./hmac.ts";
import { PSEUDONYM_PREFIX } from "./ledger-event.ts";

const utf8 = new TextEncoder();

/** Whether `text` is or looks like a pseudonym. */
export function isPseudonym(text: string): boolean {
  return text.startsWith(PSEUDONYM_PREFIX);
}

/** Returns the pseudonym of a text under a coupon's erasure key: the first 16 bytes of an HMAC, which no two texts share. */
export function pseudonymOf(erasureKey: string, text: string): string {
  const hash = hmacSha256(utf8.encode(erasureKey), utf8.encode(text));
  return PSEUDONYM_PREFIX + Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Returns `named` as the tables have it once its user is erased. An idempotency key can have a user id in it, so it
 * gets a pseudonym too. Another user may use the key later and be erased, so the pseudonym is of the key and its user.
 */
export function pseudonymized<T extends Pick<ClaimRequest, "userId" | "attemptId"> & Partial<ClaimRequest>>(
  erasureKey: string,
  named: T,
): T {
  const { userId, attemptId, key } = named;
  return {
    ...named,
    userId: pseudonymOf(erasureKey, userId),
    attemptId: pseudonymOf(erasureKey, attemptId),
    ...(typeof key === "string" ? { key: pseudonymOf(erasureKey, JSON.stringify([userId, key])) } : {}),
  };
}
