// Identity: a JSON Web Token (RFC 7519) must name the user of a request. It is off unless configured.

import { decode, verify, verifyWithJwks } from "hono/jwt";
import type { HonoJsonWebKey } from "hono/utils/jwt/jws";

import { JWKS_DEADLINE_MS, JWKS_REFRESH_MS_MIN, JWKS_STALE_MS_MAX, JWKS_TTL_MS } from "../../domain/limits.ts";
import type { Config } from "../../edge/config.ts";
import { logFailure } from "../../log.ts";
import { bearerIn } from "./tokens.ts";

type IdentityEnv = Pick<Config, "IDENTITY_SECRET" | "IDENTITY_JWKS_URL" | "IDENTITY_AUDIENCE">;

/** Why a request can't act for a user: no valid token, another user's token, or no keys to verify it. */
export type IdentityFault = "unauthorized" | "forbidden" | "unavailable";

/** Returns null if the request's token is one of `userId`. */
export async function identityFault(authorization: string | null, userId: string, env: IdentityEnv): Promise<IdentityFault | null> {
  const token = bearerIn(authorization);
  if (token === null) return "unauthorized";
  try {
    const { sub } = await payloadOf(token, env);
    if (typeof sub !== "string") return "unauthorized";
    return sub === userId ? null : "forbidden";
  } catch (cause) {
    return cause instanceof KeysUnavailable ? "unavailable" : "unauthorized";
  }
}

/** Returns the token's payload. Throws if its signature, algorithm, times or audience are not valid. */
async function payloadOf(token: string, env: IdentityEnv): Promise<Record<string, unknown>> {
  // The clocks of issuers differ by seconds, so `iat` may be in the future. `nbf` may not.
  const verification = { iat: false, ...(env.IDENTITY_AUDIENCE ? { aud: env.IDENTITY_AUDIENCE } : {}) };
  if (env.IDENTITY_JWKS_URL) {
    const allowedAlgorithms = ["ES256", "RS256"] as const;
    return verifyWithJwks(token, { keys: await keysFor(token, env.IDENTITY_JWKS_URL), allowedAlgorithms, verification });
  }
  return verify(token, env.IDENTITY_SECRET ?? "", { alg: "HS256", ...verification });
}

class KeysUnavailable extends Error {}

/** The last fetched keys, and the time of the last try. No promise: requests must not share one. */
const known: { url: string; keys: HonoJsonWebKey[]; fetchedAt: number; triedAt: number } = {
  url: "",
  keys: [],
  fetchedAt: -Infinity,
  triedAt: -Infinity,
};

async function keysFor(token: string, url: string): Promise<HonoJsonWebKey[]> {
  if (known.url !== url) Object.assign(known, { url, keys: [], fetchedAt: -Infinity, triedAt: -Infinity });
  const { kid } = decode(token).header;
  const now = Date.now();
  const isFresh = now - known.fetchedAt < JWKS_TTL_MS && known.keys.some((key) => key.kid === kid);
  const wasTriedJustNow = now - known.triedAt < JWKS_REFRESH_MS_MIN;
  // Soon after a try, running or failed, the known keys are used. Without keys, every request fetches.
  if (isFresh || (wasTriedJustNow && known.keys.length > 0)) return usableKeys(now);
  known.triedAt = now;
  try {
    // Cloudflare caches the answer, so many requests to new isolates make one fetch at the issuer.
    const cf = { cacheEverything: true, cacheTtl: JWKS_REFRESH_MS_MIN / 1000 };
    const response = await fetch(url, { signal: AbortSignal.timeout(JWKS_DEADLINE_MS), cf });
    const keys = keysIn(await response.json());
    if (!response.ok || keys.length === 0) throw new Error(`no key set: status ${response.status}`);
    Object.assign(known, { keys, fetchedAt: Date.now() });
    return keys;
  } catch (cause) {
    logFailure("identity_keys_failed", { cause });
    return usableKeys(now);
  }
}

/** Returns the known keys. Throws if there are none, or if they are too old. */
function usableKeys(now: number): HonoJsonWebKey[] {
  if (known.keys.length === 0 || now - known.fetchedAt >= JWKS_STALE_MS_MAX) throw new KeysUnavailable();
  return known.keys;
}

/** Returns the keys of a JSON Web Key Set (RFC 7517, 5). A malformed document has none. */
function keysIn(document: unknown): HonoJsonWebKey[] {
  if (typeof document !== "object" || document === null || !("keys" in document) || !Array.isArray(document.keys)) return [];
  return document.keys.filter(isKey);
}

function isKey(value: unknown): value is HonoJsonWebKey {
  return typeof value === "object" && value !== null && "kty" in value && "kid" in value;
}
