// A JSON Web Token (RFC 7519): its parts, its signature and its claims.

import { decode } from "hono/jwt";
import { decodeBase64Url } from "hono/utils/encode";
import * as z from "zod";

import { JWT_LEEWAY_SECONDS } from "../../domain/limits.ts";
import type { Config } from "../../edge/config.ts";
import type { TokenFault } from "../refusals.ts";

/** The algorithm of a shared secret, and those of an issuer's keys. No token may choose between the two. */
const SECRET_ALGORITHMS = { HS256: { name: "HMAC", hash: "SHA-256" } } as const;
const KEY_ALGORITHMS = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  EdDSA: { name: "Ed25519" },
} as const;
const ALGORITHMS = { ...SECRET_ALGORITHMS, ...KEY_ALGORITHMS };
type Algorithm = keyof typeof ALGORITHMS;

export type Key = JsonWebKey & { readonly kid?: string };
export type Jwt = z.output<typeof HEADER> & {
  readonly payload: Record<string, unknown>;
  readonly signature: string;
  readonly signed: string;
};

/** `typ` in any case (RFC 7515, 4.1.9). A `crit` header must be understood (4.1.11), and none is. */
const HEADER = z.object({
  alg: z.string(),
  kid: z.string().optional(),
  typ: z
    .string()
    .regex(/^(?:application\/)?(?:at\+)?jwt$/i)
    .optional(),
  crit: z.never().optional(),
});
const PAYLOAD = z.record(z.string(), z.unknown());

/** Returns the parts of a token, or null if it is no JWT. Nothing of them is verified yet. */
export function parseJwt(token: string): Jwt | null {
  const [, signed, signature] = /^([\w-]+\.[\w-]+)\.([\w-]*)$/.exec(token) ?? [];
  if (signed === undefined || signature === undefined) return null;
  try {
    const { header, payload } = decode(token);
    return { ...HEADER.parse(header), payload: PAYLOAD.parse(payload), signed, signature };
  } catch {
    return null;
  }
}

export function isSecretAlgorithm(alg: string): boolean {
  return Object.hasOwn(SECRET_ALGORITHMS, alg);
}

export function isKeyAlgorithm(alg: string): boolean {
  return Object.hasOwn(KEY_ALGORITHMS, alg);
}

/**
 * Returns whether a key has signed the token. Key ids need not be unique or present (RFC 7517, 4.5), so each
 * key that fits is tried. Returns null if no key has, and no key has the token's id: the set may be too old.
 */
export async function isSignedByOne(jwt: Jwt, keys: readonly Key[]): Promise<boolean | null> {
  for (const key of keys) {
    const fits = (key.alg ?? jwt.alg) === jwt.alg && (key.kid ?? jwt.kid) === (jwt.kid ?? key.kid);
    if (fits && (await isSignedBy(jwt, key))) return true;
  }
  return jwt.kid !== undefined && keys.some(({ kid }) => kid === jwt.kid) ? false : null;
}

async function isSignedBy({ alg, signed, signature }: Jwt, jwk: Key): Promise<boolean> {
  if (!isAlgorithm(alg)) return false;
  try {
    const key = await crypto.subtle.importKey("jwk", jwk, ALGORITHMS[alg], false, ["verify"]);
    return await crypto.subtle.verify(ALGORITHMS[alg], key, decodeBase64Url(signature), new TextEncoder().encode(signed));
  } catch {
    // The key is malformed, or of another algorithm.
    return false;
  }
}

function isAlgorithm(alg: string): alg is Algorithm {
  return Object.hasOwn(ALGORITHMS, alg);
}

type ClaimsConfig = Pick<Config, "IDENTITY_AUDIENCE" | "IDENTITY_ISSUER">;

/**
 * Returns why the claims of a verified token are refused, or null. The clocks of issuers differ, so `exp` and
 * `nbf` have a leeway (RFC 7519, 4.1.4 and 4.1.5), and `iat` is ignored.
 */
export function claimsFault({ payload }: Pick<Jwt, "payload">, config: ClaimsConfig, nowSeconds: number): TokenFault | null {
  const { sub, exp = Infinity, nbf = -Infinity, iss, aud } = payload;
  if (typeof exp !== "number" || exp + JWT_LEEWAY_SECONDS <= nowSeconds) return "expired";
  if (typeof nbf !== "number" || nbf - JWT_LEEWAY_SECONDS > nowSeconds) return "notYet";
  if (config.IDENTITY_ISSUER !== undefined && iss !== config.IDENTITY_ISSUER) return "issuer";
  if (config.IDENTITY_AUDIENCE !== undefined && ![aud].flat().includes(config.IDENTITY_AUDIENCE)) return "audience";
  return typeof sub === "string" ? null : "noSubject";
}
