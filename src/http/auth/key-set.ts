// The issuer's key set (RFC 7517): fetched, cached in the isolate, and fetched again for unknown keys.

import {
  JWKS_DEADLINE_MS,
  JWKS_REFRESH_MS_MIN,
  JWKS_STALE_MS_MAX,
  JWKS_TTL_MS,
  JWKS_UNKNOWN_MAX,
  KEY_ID_LENGTH_MAX,
  RETRY_AFTER_SECONDS,
} from "../../domain/limits.ts";
import { logFailure } from "../../log.ts";
import { isKeyAlgorithm, isSignedByOne, type Jwt, type Key } from "./jwt.ts";

/** The last fetched keys, and the time of the last try. No promise: requests must not share one. */
type KeySet = {
  readonly url: string;
  keys: readonly Key[];
  fetchedAt: number;
  triedAt: number;
  /** The key ids that the last fetch was to find, and those that the next one is. */
  absent: ReadonlySet<string>;
  pending: Set<string>;
};

let known: KeySet = emptySet("");

function emptySet(url: string): KeySet {
  return { url, keys: [], fetchedAt: -Infinity, triedAt: -Infinity, absent: new Set(), pending: new Set() };
}

/** What is known of a token's key. Times in milliseconds; without keys, their age is infinite. */
type Known = {
  readonly ageMs: number;
  readonly sinceTryMs: number;
  /** Whether a key signed the token, or null if its key is unknown. */
  readonly isSigned: boolean | null;
  /** The last fetch was to find the key. */
  readonly isAbsent: boolean;
};

/** Whether to fetch the keys. Without any key, every request fetches. */
export function isFetchDue({ ageMs, sinceTryMs, isSigned }: Omit<Known, "isAbsent">): boolean {
  if (ageMs === Infinity) return true;
  return sinceTryMs >= JWKS_REFRESH_MS_MIN && (isSigned === null || ageMs >= JWKS_TTL_MS);
}

/** Returns what the known keys say. An unknown key may be new, until the keys were fetched once more. */
export function verdictOf({ ageMs, isSigned, isAbsent }: Omit<Known, "sinceTryMs">): "signed" | "signature" | "unknownKey" | "unavailable" {
  if (ageMs >= JWKS_STALE_MS_MAX) return "unavailable";
  if (isSigned !== null) return isSigned ? "signed" : "signature";
  return isAbsent ? "unknownKey" : "unavailable";
}

/** Returns whether a key of the issuer signed the token. With `unavailable`, the caller should wait. */
export async function verifyByKeySet(jwt: Jwt, url: string): Promise<ReturnType<typeof verdictOf>> {
  if (known.url !== url) known = emptySet(url);
  const set = known;
  // A token without a key id stands for itself.
  const id = (jwt.kid ?? jwt.signature).slice(0, KEY_ID_LENGTH_MAX);
  let isSigned = await isSignedByOne(jwt, set.keys);
  const now = Date.now();
  const isDue = isFetchDue({ ageMs: now - set.fetchedAt, sinceTryMs: now - set.triedAt, isSigned });
  if ((isDue || isSigned === null) && set.pending.size < JWKS_UNKNOWN_MAX) set.pending.add(id);
  if (isDue) {
    await fetchKeys(set, now);
    isSigned = await isSignedByOne(jwt, set.keys);
  }
  return verdictOf({ ageMs: now - set.fetchedAt, isSigned, isAbsent: set.absent.has(id) });
}

/** When to ask again, in seconds: after a fetch that may be running, or when the next one is due. */
export function retryAfterSeconds(now: number): number {
  const { fetchedAt, triedAt } = known;
  const mayRun = fetchedAt < triedAt && now - triedAt < JWKS_DEADLINE_MS;
  if (mayRun || fetchedAt === -Infinity) return RETRY_AFTER_SECONDS;
  return Math.max(RETRY_AFTER_SECONDS, Math.ceil((triedAt + JWKS_REFRESH_MS_MIN - now) / 1000));
}

async function fetchKeys(set: KeySet, now: number): Promise<void> {
  set.triedAt = now;
  // A key id that comes during the fetch is for the next one: this answer may be older.
  const asked = set.pending;
  set.pending = new Set();
  try {
    // Cloudflare caches the answer, so many requests to new isolates make one fetch at the issuer. It does so
    // for half the time, so that the next fetch of this isolate does not find its own old answer.
    const cf = { cacheEverything: true, cacheTtl: JWKS_REFRESH_MS_MIN / 2000 };
    const response = await fetch(set.url, { signal: AbortSignal.timeout(JWKS_DEADLINE_MS), cf });
    const keys = keysIn(await response.json());
    if (!response.ok || keys.length === 0) throw new Error(`no key set: status ${response.status}`);
    Object.assign(set, { keys, fetchedAt: Date.now(), absent: asked });
  } catch (cause) {
    set.pending = new Set([...asked, ...set.pending].slice(0, JWKS_UNKNOWN_MAX));
    logFailure("identity_keys_failed", { cause });
  }
}

/** Returns the usable keys of a key set. Others do not spoil it (RFC 7517, 5). */
function keysIn(document: unknown): readonly Key[] {
  if (typeof document !== "object" || document === null || !("keys" in document) || !Array.isArray(document.keys)) return [];
  return document.keys.filter(isUsable);
}

function isUsable(value: unknown): value is Key {
  if (typeof value !== "object" || value === null) return false;
  const { kty, kid = "", use = "sig", alg }: { kty?: unknown; kid?: unknown; use?: unknown; alg?: unknown } = value;
  const isOfAlgorithm = alg === undefined || (typeof alg === "string" && isKeyAlgorithm(alg));
  return typeof kty === "string" && typeof kid === "string" && use === "sig" && isOfAlgorithm;
}
