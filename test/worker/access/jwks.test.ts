// Tokens of an outside issuer: ES256 or RS256, by a key that its key set names.

import { sign } from "hono/jwt";
import { beforeAll, expect, test } from "vitest";

import { created, outcomeOf, read } from "../../support/api.ts";
import { workerWith, type Settings } from "../../support/worker.ts";
import { base64Url, hmacToken, issuer, issuerKey, KEY_ALGORITHMS, type IssuerKey } from "./issuer.ts";

let es: IssuerKey;
let rs: IssuerKey;
let stolen: IssuerKey;

beforeAll(async () => {
  [es, rs, stolen] = await Promise.all([issuerKey("ES256", "es-1"), issuerKey("RS256", "rs-1"), issuerKey("ES256", "es-1")]);
});

/** How a claim by ada ends. */
async function claimBy(authorization: string | undefined, settings: Settings, name?: string): Promise<string> {
  const body = { user_id: "ada", coupon_name: name ?? (await created(3)) };
  return outcomeOf(await workerWith(settings)("POST", "/api/coupons/claim", { body, authorization }));
}

test.for(KEY_ALGORITHMS)("tokens of a key with %s are accepted for their own user alone", async (alg) => {
  const key = await issuerKey(alg, alg);
  const { alg: _alg, use: _use, ...bare } = key.jwk;
  for (const jwk of [key.jwk, bare]) {
    const { url } = issuer(es.jwk, jwk);
    expect(await claimBy(await key.tokenOf({ sub: "ada" }), { IDENTITY_JWKS_URL: url })).toBe("201");
    expect(await claimBy(await key.tokenOf({ sub: "bob" }), { IDENTITY_JWKS_URL: url })).toBe("403 forbidden");
  }
});

test.for<[string, () => Promise<readonly [IssuerKey, ...unknown[]]>]>([
  ["a key of the same id and algorithm before it", async () => [es, stolen.jwk, es.jwk]],
  ["a key of the same id and another algorithm before it", async () => [es, { ...rs.jwk, kid: "es-1" }, es.jwk]],
  ["malformed keys before it", async () => [es, null, { kty: "EC", kid: "es-1", x: 1 }, { ...es.jwk, kid: 1 }, es.jwk]],
  ["a key for encryption before it", async () => [es, { ...rs.jwk, use: "enc", alg: "RSA-OAEP", kid: "es-1" }, es.jwk]],
  ["no ids, for a token with an id", async () => [es, { ...rs.jwk, kid: undefined }, { ...es.jwk, kid: undefined }]],
  ["ids, for a token without an id", async () => withoutId(({ jwk }) => [stolen.jwk, rs.jwk, { ...jwk, kid: "any" }])],
  ["no ids, for a token without an id", async () => withoutId(({ jwk }) => [rs.jwk, jwk])],
])("a token is accepted by a key set with %s", async ([, published]) => {
  const [key, ...keys] = await published();
  const host = issuer();
  host.answers(() => Response.json({ keys }));
  expect(await claimBy(await key.tokenOf({ sub: "ada" }), { IDENTITY_JWKS_URL: host.url })).toBe("201");
});

async function withoutId(published: (key: IssuerKey) => unknown[]): Promise<readonly [IssuerKey, ...unknown[]]> {
  const key = await issuerKey("ES256");
  return [key, ...published(key)];
}

test("a key for encryption verifies no token", async () => {
  const { url } = issuer({ ...es.jwk, use: "enc" }, rs.jwk);
  expect(await claimBy(await es.tokenOf({ sub: "ada" }), { IDENTITY_JWKS_URL: url })).toBe("401 unauthorized");
});

test("a claim without a token gets 401, and the issuer is not asked", async () => {
  const { url, fetchCount } = issuer(es.jwk);
  expect(await claimBy(undefined, { IDENTITY_JWKS_URL: url })).toBe("401 unauthorized");
  expect(fetchCount()).toBe(0);
});

test("the issuer's keys replace a secret that is configured as well", async () => {
  const settings = { IDENTITY_JWKS_URL: issuer(es.jwk).url, IDENTITY_SECRET: "secret" };
  expect(await claimBy(await es.tokenOf({ sub: "ada" }), settings)).toBe("201");
  expect(await claimBy(`Bearer ${await sign({ sub: "ada" }, "secret")}`, settings)).toBe("401 unauthorized");
});

test.for<[string, () => string | Promise<string>]>([
  ["is signed by another key with the same id", () => stolen.tokenOf({ sub: "ada" })],
  ["names an unpublished key", async () => (await issuerKey("ES256", "es-2")).tokenOf({ sub: "ada" })],
  ["has the algorithm none", () => `Bearer ${base64Url('{"alg":"none","typ":"JWT","kid":"es-1"}')}.${base64Url('{"sub":"ada"}')}.`],
  [
    "was another user's before its subject was changed",
    async () => (await es.tokenOf({ sub: "bob" })).replace(/\.[^.]*\./, `.${base64Url('{"sub":"ada"}')}.`),
  ],
  ["has the published key as its HMAC secret", () => hmacToken({ alg: "HS256", kid: "rs-1" }, JSON.stringify(rs.jwk))],
  ["has the key's modulus as its HMAC secret", () => hmacToken({ alg: "HS256", kid: "rs-1" }, String(rs.jwk.n))],
  ["is an HMAC that claims RS256", () => hmacToken({ alg: "RS256", kid: "rs-1" }, String(rs.jwk.n))],
  ["has a published HMAC secret", () => hmacToken({ alg: "HS256", kid: "oct-1" }, "published")],
  ["names no key", () => hmacToken({ alg: "HS256" }, String(rs.jwk.n))],
  ["has another algorithm than its key", async () => (await issuerKey("RS256", "es-1")).tokenOf({ sub: "ada" })],
  ["is garbage", () => "Bearer garbage"],
])("a token that %s gets 401 and claims nothing", async ([, authorization]) => {
  const secret = { kty: "oct", k: base64Url("published"), kid: "oct-1", alg: "HS256" };
  const { url } = issuer(es.jwk, rs.jwk, secret);
  const name = await created(3);
  expect(await claimBy(await authorization(), { IDENTITY_JWKS_URL: url }, name)).toBe("401 unauthorized");
  expect((await read(name)).body["claimed_by"]).toEqual([]);
});

test("a token of a published key with the algorithm RS512 gets 401", async () => {
  const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = (await crypto.subtle.generateKey(rsa, true, ["sign", "verify"])) as CryptoKeyPair;
  const [secret, jwk] = await Promise.all([
    crypto.subtle.exportKey("jwk", pair.privateKey),
    crypto.subtle.exportKey("jwk", pair.publicKey),
  ]);
  const published = { ...(jwk as JsonWebKey), kid: "rs-512" };
  const { url } = issuer(published);
  const signing = { ...(secret as JsonWebKey), kid: "rs-512", alg: "RS512" };
  expect(await claimBy(`Bearer ${await sign({ sub: "ada" }, signing, "RS512")}`, { IDENTITY_JWKS_URL: url })).toBe("401 unauthorized");
});
