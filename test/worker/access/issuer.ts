// A stand-in for an outside issuer of tokens: the host that serves its key set, and its private keys.

import { sign } from "hono/jwt";
import { onTestFinished } from "vitest";

/** Text as a part of a token. */
export function base64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export type Algorithm = "ES256" | "RS256";

/** A key of the issuer: `jwk` is what it publishes. */
export type IssuerKey = { readonly kid: string; readonly jwk: JsonWebKey; tokenOf(payload: Record<string, unknown>): Promise<string> };

const GENERATED = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
} as const;

/** Generates a key pair that signs tokens. */
export async function issuerKey(alg: Algorithm, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(GENERATED[alg], true, ["sign", "verify"])) as CryptoKeyPair;
  const secret = (await crypto.subtle.exportKey("jwk", privateKey)) as JsonWebKey;
  const jwk = { ...((await crypto.subtle.exportKey("jwk", publicKey)) as JsonWebKey), kid, alg, use: "sig" };
  return { kid, jwk, tokenOf: async (payload) => `Bearer ${await sign(payload, { ...secret, kid, alg })}` };
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
