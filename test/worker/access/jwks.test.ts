// Tokens of an outside issuer: ES256 or RS256, by a key that its key set names.

import { sign } from "hono/jwt";
import { beforeAll, describe, expect, test } from "vitest";

import { created, outcomeOf, read } from "../../support/api.ts";
import { workerWith } from "../../support/worker.ts";
import { base64Url, issuer, issuerKey, type IssuerKey } from "./issuer.ts";

let es: IssuerKey;
let rs: IssuerKey;
let stolen: IssuerKey;

beforeAll(async () => {
  [es, rs, stolen] = await Promise.all([issuerKey("ES256", "es-1"), issuerKey("RS256", "rs-1"), issuerKey("ES256", "es-1")]);
});

type Settings = { readonly IDENTITY_JWKS_URL: string; readonly IDENTITY_SECRET?: string; readonly IDENTITY_AUDIENCE?: string };

/** How a claim by ada ends. */
async function claimBy(authorization: string | undefined, settings: Settings, name?: string): Promise<string> {
  const body = { user_id: "ada", coupon_name: name ?? (await created(3)) };
  const sent = authorization === undefined ? { body } : { body, authorization };
  return outcomeOf(await workerWith(settings)("POST", "/api/coupons/claim", sent));
}

/** A token whose header says what it likes, signed with HMAC by `secret`. */
async function hmacToken(header: Record<string, unknown>, secret: BufferSource): Promise<string> {
  const utf8 = new TextEncoder();
  const signed = `${base64Url(JSON.stringify({ typ: "JWT", ...header }))}.${base64Url(JSON.stringify({ sub: "ada" }))}`;
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(signed)));
  return `Bearer ${signed}.${base64Url(String.fromCharCode(...signature))}`;
}

describe("with an issuer configured", () => {
  test("tokens of either algorithm are good, each for its own user", async () => {
    const { url } = issuer(es.jwk, rs.jwk);
    for (const key of [es, rs]) {
      expect(await claimBy(await key.tokenOf({ sub: "ada" }), { IDENTITY_JWKS_URL: url })).toBe("201");
      expect(await claimBy(await key.tokenOf({ sub: "bob" }), { IDENTITY_JWKS_URL: url })).toBe("403 forbidden");
    }
  });

  test("a key that does not say its algorithm is good for the token's", async () => {
    const { alg: _es, ...plainEs } = es.jwk;
    const { alg: _rs, ...plainRs } = rs.jwk;
    const { url } = issuer(plainEs, plainRs);
    expect(await claimBy(await es.tokenOf({ sub: "ada" }), { IDENTITY_JWKS_URL: url })).toBe("201");
    expect(await claimBy(await rs.tokenOf({ sub: "ada" }), { IDENTITY_JWKS_URL: url })).toBe("201");
  });

  test("a request without a token is refused, and the issuer is not asked", async () => {
    const { url, fetchCount } = issuer(es.jwk);
    expect(await claimBy(undefined, { IDENTITY_JWKS_URL: url })).toBe("401 unauthorized");
    expect(fetchCount()).toBe(0);
  });

  test("times and audience hold here too", async () => {
    const settings = { IDENTITY_JWKS_URL: issuer(es.jwk).url, IDENTITY_AUDIENCE: "sale" };
    const now = Math.floor(Date.now() / 1000);
    const outcomes: string[] = [];
    for (const payload of [{ aud: "sale" }, {}, { aud: "other" }, { aud: "sale", exp: now - 1 }, { aud: "sale", nbf: now + 3600 }]) {
      outcomes.push(await claimBy(await es.tokenOf({ sub: "ada", ...payload }), settings));
    }
    expect(outcomes).toEqual(["201", ...Array.from({ length: 4 }, () => "401 unauthorized")]);
  });

  test("the issuer's keys win where a secret is configured as well", async () => {
    const settings = { IDENTITY_JWKS_URL: issuer(es.jwk).url, IDENTITY_SECRET: "secret" };
    expect(await claimBy(await es.tokenOf({ sub: "ada" }), settings)).toBe("201");
    expect(await claimBy(`Bearer ${await sign({ sub: "ada" }, "secret")}`, settings)).toBe("401 unauthorized");
  });

  test("a look at one's own and a hold ask it as well", async () => {
    const ask = workerWith({ IDENTITY_JWKS_URL: issuer(es.jwk).url });
    const path = `/api/coupons/${await created(3)}`;
    const authorization = await es.tokenOf({ sub: "ada" });
    const body = { user_id: "ada", ttl_seconds: 60 };
    expect(outcomeOf(await ask("POST", `${path}/holds`, { body, authorization }))).toBe("201");
    expect(outcomeOf(await ask("GET", `${path}/claims/ada`, { authorization }))).toBe("200");
    expect(outcomeOf(await ask("GET", `${path}/claims/ada`))).toBe("401 unauthorized");
    expect(outcomeOf(await ask("DELETE", `${path}/holds/ada`, { authorization: await es.tokenOf({ sub: "bob" }) }))).toBe("403 forbidden");
  });
});

describe("a forged token is unauthorized", () => {
  test.for<[string, () => string | Promise<string>]>([
    ["signed by somebody else's key of the same name", () => stolen.tokenOf({ sub: "ada" })],
    ["of a key that nobody published", async () => (await issuerKey("ES256", "es-2")).tokenOf({ sub: "ada" })],
    ["with the algorithm none", () => `Bearer ${base64Url('{"alg":"none","typ":"JWT","kid":"es-1"}')}.${base64Url('{"sub":"ada"}')}.`],
    [
      "of another user, with the name changed",
      async () => (await es.tokenOf({ sub: "bob" })).replace(/\.[^.]*\./, `.${base64Url('{"sub":"ada"}')}.`),
    ],
    [
      "with HMAC, the published key as its secret",
      () => hmacToken({ alg: "HS256", kid: "rs-1" }, new TextEncoder().encode(JSON.stringify(rs.jwk))),
    ],
    ["with HMAC, the key's modulus as its secret", () => hmacToken({ alg: "HS256", kid: "rs-1" }, new TextEncoder().encode(rs.jwk.n))],
    ["with HMAC under the name of RS256", () => hmacToken({ alg: "RS256", kid: "rs-1" }, new TextEncoder().encode(rs.jwk.n))],
    ["with HMAC, a published secret of the set", () => hmacToken({ alg: "HS256", kid: "oct-1" }, new TextEncoder().encode("published"))],
    ["without the name of a key", () => hmacToken({ alg: "HS256" }, new TextEncoder().encode(rs.jwk.n))],
    ["with an algorithm that the key is not for", async () => (await issuerKey("RS256", "es-1")).tokenOf({ sub: "ada" })],
    ["garbage", () => "Bearer garbage"],
  ])("%s", async ([, authorization]) => {
    const secret = { kty: "oct", k: base64Url("published"), kid: "oct-1", alg: "HS256" };
    const { url } = issuer(es.jwk, rs.jwk, secret);
    const name = await created(3);
    expect(await claimBy(await authorization(), { IDENTITY_JWKS_URL: url }, name)).toBe("401 unauthorized");
    expect((await read(name)).body["claimed_by"]).toEqual([]);
  });

  test("signed by a published key with an algorithm that is not allowed", async () => {
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
    const pair = (await crypto.subtle.generateKey(rsa, true, ["sign", "verify"])) as CryptoKeyPair;
    const [secret, jwk] = await Promise.all([
      crypto.subtle.exportKey("jwk", pair.privateKey),
      crypto.subtle.exportKey("jwk", pair.publicKey),
    ]);
    const published = { ...(jwk as JsonWebKey), kid: "rs-512" };
    const { url } = issuer(published);
    const signing = { ...(secret as JsonWebKey), kid: "rs-512", alg: "RS512" };
    const token = await sign({ sub: "ada" }, signing, "RS512");
    expect(await claimBy(`Bearer ${token}`, { IDENTITY_JWKS_URL: url })).toBe("401 unauthorized");
  });
});
