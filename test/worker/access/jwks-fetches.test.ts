// How the issuer's keys are fetched, and what is answered while the issuer is down.

import { beforeAll, expect, test, vi } from "vitest";

import { JWKS_REFRESH_MS_MIN, JWKS_STALE_MS_MAX, JWKS_TTL_MS } from "../../../src/domain/limits.ts";
import { created, freshName, outcomeOf, read, users, type Answer } from "../../support/api.ts";
import { passClock, setClock } from "../../support/clock.ts";
import { workerWith } from "../../support/worker.ts";
import { issuer, issuerKey, type Issuer, type IssuerKey } from "./issuer.ts";

let first: IssuerKey;
let second: IssuerKey;

beforeAll(async () => {
  [first, second] = await Promise.all([issuerKey("ES256", "first"), issuerKey("ES256", "second")]);
});

/** How a claim by ada with a token of `key` ends. The coupon is missing, so 404 means an accepted token. */
async function claimWith(key: IssuerKey, host: Issuer): Promise<string> {
  return outcomeOf(await answerTo(key, host));
}

async function answerTo(key: IssuerKey, { url }: Issuer): Promise<Answer> {
  const sent = { body: { user_id: "ada", coupon_name: freshName("missing") }, authorization: await key.tokenOf({ sub: "ada" }) };
  return workerWith({ IDENTITY_JWKS_URL: url })("POST", "/api/coupons/claim", sent);
}

const ACCEPTED = "404 coupon_not_found";
const REFUSED = "401 unauthorized";
const NO_KEYS = "503 unavailable";

/** An issuer with the first key, fetched at the time at which the clock stops. */
async function knownIssuer(...more: readonly JsonWebKey[]): Promise<Issuer> {
  setClock(Date.now());
  const host = issuer(first.jwk, ...more);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
  return host;
}

test("the issuer's keys are fetched once for all tokens, and again after JWKS_TTL_MS", async () => {
  const host = await knownIssuer(second.jwk);
  for (let count = 0; count < 10; count += 1) expect(await claimWith(count % 2 === 0 ? first : second, host)).toBe(ACCEPTED);
  passClock(JWKS_TTL_MS - 1);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
  expect(host.fetchCount()).toBe(1);
  passClock(1);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
  expect(await claimWith(second, host)).toBe(ACCEPTED);
  expect(host.fetchCount()).toBe(2);
});

test("the issuer's keys are fetched for unknown key ids at most once in JWKS_REFRESH_MS_MIN", async () => {
  const host = await knownIssuer();
  const forged = await Promise.all(users(5).map((id) => issuerKey("ES256", id)));
  for (const key of forged) expect(await claimWith(key, host)).toBe(NO_KEYS);
  passClock(JWKS_REFRESH_MS_MIN - 1);
  for (const key of forged) expect(await claimWith(key, host)).toBe(NO_KEYS);
  expect(host.fetchCount()).toBe(1);
  passClock(1);
  for (const key of forged) expect(await claimWith(key, host)).toBe(REFUSED);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
  expect(host.fetchCount()).toBe(2);
});

test("the issuer's keys are not fetched for what is no token", async () => {
  const host = issuer(first.jwk);
  const sent = { body: { user_id: "ada", coupon_name: "any" } };
  for (const authorization of ["Bearer garbage", "Bearer a.b.c", "Bearer ..", "Basic x", ""]) {
    const answer = await workerWith({ IDENTITY_JWKS_URL: host.url })("POST", "/api/coupons/claim", { ...sent, authorization });
    expect(outcomeOf(answer)).toBe(REFUSED);
  }
  expect(host.fetchCount()).toBe(0);
});

test("the issuer's keys of one address are not accepted for another", async () => {
  const [one, other] = [issuer(first.jwk), issuer(second.jwk)];
  expect(await claimWith(first, one)).toBe(ACCEPTED);
  expect(await claimWith(first, other)).toBe(REFUSED);
  expect(await claimWith(second, other)).toBe(ACCEPTED);
  expect([one.fetchCount(), other.fetchCount()]).toEqual([1, 1]);
});

test.for(["with", "without"])("keys %s ids include a new key after the Retry-After of its 503", async (how) => {
  const [old, fresh] = how === "with" ? [first, second] : await Promise.all([issuerKey("ES256"), issuerKey("ES256")]);
  setClock(Date.now());
  const host = issuer(old.jwk);
  expect(await claimWith(old, host)).toBe(ACCEPTED);
  host.publish(old.jwk, fresh.jwk);
  passClock(JWKS_REFRESH_MS_MIN - 3000);
  const { status, headers } = await answerTo(fresh, host);
  expect([status, headers.get("Retry-After")]).toEqual([503, "3"]);
  passClock(3000);
  expect(await claimWith(fresh, host)).toBe(ACCEPTED);
  expect(await claimWith(old, host)).toBe(ACCEPTED);
  expect(host.fetchCount()).toBe(2);
});

test("keys that were requested before a new key came do not refuse it", async () => {
  const host = await knownIssuer();
  passClock(JWKS_TTL_MS);
  const { promise, resolve: answer } = Promise.withResolvers<Response>();
  host.answers(() => promise);
  const fetching = claimWith(first, host);
  await vi.waitFor(() => expect(host.fetchCount()).toBe(2));
  expect(await claimWith(second, host)).toBe(NO_KEYS);
  answer(Response.json({ keys: [first.jwk] }));
  expect(await fetching).toBe(ACCEPTED);
  expect(await claimWith(second, host)).toBe(NO_KEYS);
  host.publish(first.jwk, second.jwk);
  passClock(JWKS_REFRESH_MS_MIN);
  expect(await claimWith(second, host)).toBe(ACCEPTED);
});

test("the issuer's keys lack a withdrawn key after JWKS_TTL_MS", async () => {
  const host = await knownIssuer(second.jwk);
  host.publish(second.jwk);
  passClock(JWKS_TTL_MS);
  expect(await claimWith(first, host)).toBe(REFUSED);
  expect(await claimWith(second, host)).toBe(ACCEPTED);
  expect(host.fetchCount()).toBe(2);
});

const FAULTS = {
  "a refused connection": () => Promise.reject(new TypeError("connection refused")),
  "a 500 with keys": () => Response.json({ keys: [first.jwk] }, { status: 500 }),
  "a page of HTML": () => new Response("<!doctype html><title>login</title>", { headers: { "content-type": "text/html" } }),
  "an empty body": () => new Response(""),
  "JSON that is null": () => Response.json(null),
  "a list of keys": () => Response.json([first.jwk]),
  "keys as an object": () => Response.json({ keys: { 0: first.jwk } }),
  "no keys": () => Response.json({ keys: [] }),
  "keys for encryption": () => Response.json({ keys: [{ ...first.jwk, use: "enc" }] }),
  "malformed keys": () => Response.json({ keys: [null, 1, "key", {}] }),
} as const;
const FAULT_NAMES = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

test.for(FAULT_NAMES)("a claim gets 503 while the issuer answers %s, then 201", async (fault) => {
  const host = issuer();
  host.answers(FAULTS[fault]);
  const name = await created(3);
  const sent = { body: { user_id: "ada", coupon_name: name }, authorization: await first.tokenOf({ sub: "ada" }) };
  const ask = workerWith({ IDENTITY_JWKS_URL: host.url });
  const answer = await ask("POST", "/api/coupons/claim", sent);
  expect(outcomeOf(answer)).toBe(NO_KEYS);
  expect(answer.headers.get("Retry-After")).toBe("1");
  expect(JSON.stringify(answer.body)).not.toMatch(/issuer|jwks|refused|JSON/i);
  expect((await read(name)).body["claimed_by"]).toEqual([]);

  host.publish(first.jwk);
  expect(outcomeOf(await ask("POST", "/api/coupons/claim", sent))).toBe("201");
});

test.for(FAULT_NAMES)("known keys stay accepted while the issuer answers %s", async (fault) => {
  const host = await knownIssuer();
  host.answers(FAULTS[fault]);
  passClock(JWKS_TTL_MS);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
  expect(await claimWith(second, host)).toBe(NO_KEYS);
  host.publish(second.jwk);
  passClock(JWKS_REFRESH_MS_MIN);
  expect(await claimWith(second, host)).toBe(ACCEPTED);
});

test("old keys cause one fetch in JWKS_REFRESH_MS_MIN while the issuer is down", async () => {
  const host = await knownIssuer();
  host.answers(FAULTS["a refused connection"]);
  passClock(JWKS_TTL_MS);
  for (let count = 0; count < 5; count += 1) expect(await claimWith(first, host)).toBe(ACCEPTED);
  expect(host.fetchCount()).toBe(2);
});

test("keys of an issuer that is down are accepted for JWKS_STALE_MS_MAX", async () => {
  const host = await knownIssuer();
  host.answers(FAULTS["a refused connection"]);
  passClock(JWKS_STALE_MS_MAX - 1);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
  passClock(1);
  expect(await claimWith(first, host)).toBe(NO_KEYS);
  host.publish(first.jwk);
  passClock(JWKS_REFRESH_MS_MIN);
  expect(await claimWith(first, host)).toBe(ACCEPTED);
});

test.for([
  ["unknown key ids", JWKS_REFRESH_MS_MIN, [REFUSED, NO_KEYS]],
  ["a key that is too old", JWKS_TTL_MS, [ACCEPTED]],
] as const)("50 claims at once with %s cause one fetch", async ([what, ms, expected]) => {
  const host = await knownIssuer();
  const keys = await Promise.all(users(50).map(async (id) => (what === "unknown key ids" ? issuerKey("ES256", id) : first)));
  passClock(ms);
  const outcomes = await Promise.all(keys.map((key) => claimWith(key, host)));
  expect(new Set(outcomes)).toEqual(new Set(expected));
  expect(host.fetchCount()).toBe(2);
});

test("a claim gets 503 after JWKS_DEADLINE_MS without the issuer's answer", async () => {
  const logged = vi.spyOn(console, "error");
  const host = issuer();
  host.answers((signal) => new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))));
  expect(await claimWith(first, host)).toBe(NO_KEYS);
  expect(logged).toHaveBeenCalledOnce();
  expect(JSON.parse(String(logged.mock.calls[0]?.[0]))).toEqual({
    event: "identity_keys_failed",
    cause: expect.stringMatching(/timeout/i),
  });
  logged.mockRestore();
});
