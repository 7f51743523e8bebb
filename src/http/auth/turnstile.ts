// Cloudflare Turnstile: a user's browser solves a challenge before it claims or holds.

import { TURNSTILE_DEADLINE_MS, TURNSTILE_TOKEN_LENGTH_MAX } from "../../domain/limits.ts";
import { logFailure } from "../../log.ts";

const SITEVERIFY_URL = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/** The error codes that are the visitor's. The others are Cloudflare's, or a wrong secret. */
const TOKEN_FAULTS = new Set<unknown>(["missing-input-response", "invalid-input-response", "timeout-or-duplicate"]);

/** A token with the claim or the hold that it is sent for, and the client's address. */
export type Solved = {
  readonly token: string;
  readonly remoteip: string | undefined;
  readonly coupon: string;
  readonly userId: string;
};

/** Returns null if the token is that of a solved challenge, and was not used for another coupon or user. */
export async function challengeFault(secret: string, solved: Solved): Promise<"challenge_failed" | "unavailable" | null> {
  const { token, remoteip } = solved;
  if (token === "" || token.length > TURNSTILE_TOKEN_LENGTH_MAX) return "challenge_failed";
  try {
    const asked = { secret, response: token, remoteip, idempotency_key: await uuidOf(solved) };
    const response = await fetch(SITEVERIFY_URL, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
      signal: AbortSignal.timeout(TURNSTILE_DEADLINE_MS),
    });
    const { success, errors } = verdictIn(await response.json());
    if (success) return null;
    if (errors.length > 0 && errors.every((error) => TOKEN_FAULTS.has(error))) return "challenge_failed";
    throw new Error(`no verdict: status ${response.status}, ${errors.join(", ")}`);
  } catch (cause) {
    logFailure("turnstile_failed", { cause });
    return "unavailable";
  }
}

function verdictIn(document: unknown): { readonly success: boolean; readonly errors: readonly unknown[] } {
  if (typeof document !== "object" || document === null) return { success: false, errors: [] };
  const errors: unknown = Reflect.get(document, "error-codes");
  return { success: Reflect.get(document, "success") === true, errors: Array.isArray(errors) ? errors : [] };
}

/**
 * Returns the key under which Cloudflare answers again for a used token. It is one for each token, coupon and
 * user. So a retry passes, and one solved challenge does not serve many users. In the form of version 4.
 */
async function uuidOf({ token, coupon, userId }: Solved): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${token}\n${coupon}\n${userId}`));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
