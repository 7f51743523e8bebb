// A stand-in for an outside issuer of tokens: the host that serves its key set, and its private keys.

import { sign } from "hono/jwt";
import { onTestFinished } from "vitest";

/** Text as a part of a token. */
export function base64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A token with any header, signed with HMAC by `secret`. */
export async function hmacToken(header: Record<string, unknown>, secret: string): Promise<string> {
  const utf8 = new TextEncoder();
  const signed = `${base64Url(JSON.stringify({ typ: "JWT", ...header }))}.${base64Url(JSON.stringify({ sub: "ada" }))}`;
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(signed)));
  return `Bearer ${signed}.${base64Url(String.fromCharCode(...signature))}`;
}

/** The signature algorithms of an issuer. */
export const KEY_ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"] as const;
export type Algorithm = (typeof KEY_ALGORITHMS)[number];

type Published = JsonWebKey & { readonly kid?: string | undefined };

/** A key of the issuer: `jwk` is what it publishes. */
export type IssuerKey = { readonly jwk: Published; tokenOf(payload: Record<string, unknown>): Promise<string> };

const RSA = { hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const GENERATED = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", ...RSA },
  PS256: { name: "RSA-PSS", ...RSA },
  EdDSA: { name: "Ed25519" },
} as const;

/** Generates a key pair that signs tokens. Without an id, neither the key nor its tokens have one. */
export async function issuerKey(alg: Algorithm, kid?: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(GENERATED[alg], true, ["sign", "verify"])) as CryptoKeyPair;
  const secret = (await crypto.subtle.exportKey("jwk", privateKey)) as JsonWebKey;
  const jwk = { ...((await crypto.subtle.exportKey("jwk", publicKey)) as JsonWebKey), kid, alg, use: "sig" };
  const signing = { ...secret, alg, ...(kid === undefined ? {} : { kid }) };
  return { jwk, tokenOf: async (payload) => `Bearer ${await sign(payload, signing)}` };
}

export type Issuer = {
  readonly url: string;
  /** How often the key set was fetched. */
  readonly fetchCount: () => number;
  publish(...keys: readonly JsonWebKey[]): void;
  /** Sets what the host answers from now on. */
  answers(answer: (signal: AbortSignal | null) => Response | Promise<Response>): void;
};

/** An issuer at an address of its own, until the end of the test. */
export function issuer(...keys: readonly JsonWebKey[]): Issuer {
  const url = `https://${crypto.randomUUID()}.issuer.example/jwks.json`;
  const elsewhere = globalThis.fetch;
  let fetchCount = 0;
  let answer: (signal: AbortSignal | null) => Response | Promise<Response>;
  globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    if (input !== url) return elsewhere(input, init);
    fetchCount += 1;
    return answer(init?.signal ?? null);
  };
  onTestFinished(() => {
    globalThis.fetch = elsewhere;
  });
  function publish(...published: readonly JsonWebKey[]): void {
    answer = () => Response.json({ keys: published });
  }
  publish(...keys);
  return {
    url,
    fetchCount: () => fetchCount,
    publish,
    answers(next) {
      answer = next;
    },
  };
}
