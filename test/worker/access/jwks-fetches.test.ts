// How the issuer's keys are fetched: seldom, again when a new one turns up, and what is answered while the issuer is down.

import { beforeAll, describe, expect, test, vi } from "vitest";

import { JWKS_REFRESH_MS_MIN, JWKS_STALE_MS_MAX, JWKS_TTL_MS } from "../../../src/domain/limits.ts";
import { created, freshName, outcomeOf, read, users } from "../../support/api.ts";
import { passClock, setClock } from "../../support/clock.ts";
import { workerWith } from "../../support/worker.ts";
import { issuer, issuerKey, type Issuer, type IssuerKey } from "./issuer.ts";

let first: IssuerKey;
let second: IssuerKey;

beforeAll(async () => {
  [first, second] = await Promise.all([issuerKey("ES256", "first"), issuerKey("ES256", "second")]);
});

/** How a claim by ada with a token of `key` ends. The coupon is missing: 404 says that the token was good. */
async function claimWith(key: IssuerKey, { url }: Issuer): Promise<string> {
  const sent = { body: { user_id: "ada", coupon_name: freshName("missing") }, authorization: await key.tokenOf({ sub: "ada" }) };
  return outcomeOf(await workerWith({ IDENTITY_JWKS_URL: url })("POST", "/api/coupons/claim", sent));
}

const GOOD = "404 coupon_not_found";
const REFUSED = "401 unauthorized";
const NO_KEYS = "503 unavailable";

describe("the keys are fetched", () => {
  test("once for all tokens of known keys, and again when they are too old", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk, second.jwk);
    for (let count = 0; count < 10; count += 1) expect(await claimWith(count % 2 === 0 ? first : second, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(1);

    passClock(JWKS_TTL_MS - 1);
    expect(await claimWith(first, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(1);
    passClock(1);
    expect(await claimWith(first, host)).toBe(GOOD);
    expect(await claimWith(second, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(2);
  });

  test("for a key id that is not among them, once and no more within JWKS_REFRESH_MS_MIN", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    for (const id of users(5, "early")) expect(await claimWith(await issuerKey("ES256", id), host)).toBe(REFUSED);
    passClock(JWKS_REFRESH_MS_MIN - 1);
    expect(await claimWith(await issuerKey("ES256", "still early"), host)).toBe(REFUSED);
    expect(host.fetchCount()).toBe(1);

    passClock(1);
    for (const id of users(5, "late")) expect(await claimWith(await issuerKey("ES256", id), host)).toBe(REFUSED);
    expect(host.fetchCount()).toBe(2);
    expect(await claimWith(first, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(2);
  });

  test("for no token that is none", async () => {
    const host = issuer(first.jwk);
    const sent = { body: { user_id: "ada", coupon_name: "any" } };
    for (const authorization of ["Bearer garbage", "Bearer a.b.c", "Bearer ..", "Basic x", ""]) {
      const answer = await workerWith({ IDENTITY_JWKS_URL: host.url })("POST", "/api/coupons/claim", { ...sent, authorization });
      expect(outcomeOf(answer)).toBe(REFUSED);
    }
    expect(host.fetchCount()).toBe(0);
  });

  test("at each address anew", async () => {
    const [one, other] = [issuer(first.jwk), issuer(second.jwk)];
    expect(await claimWith(first, one)).toBe(GOOD);
    expect(await claimWith(first, other)).toBe(REFUSED);
    expect(await claimWith(second, other)).toBe(GOOD);
    expect([one.fetchCount(), other.fetchCount()]).toEqual([1, 1]);
  });
});

describe("a rotation", () => {
  test("lets the new key in as soon as it may be asked for, and the old one stays as long as it is published", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    host.publish(first.jwk, second.jwk);
    expect(await claimWith(second, host)).toBe(REFUSED);
    passClock(JWKS_REFRESH_MS_MIN);
    expect(await claimWith(second, host)).toBe(GOOD);
    expect(await claimWith(first, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(2);
  });

  test("shuts a key that was withdrawn out once the keys are too old", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk, second.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    host.publish(second.jwk);
    passClock(JWKS_TTL_MS);
    expect(await claimWith(first, host)).toBe(REFUSED);
    expect(await claimWith(second, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(2);
  });
});

const FAULTS = {
  "a refused connection": () => Promise.reject(new TypeError("connection refused")),
  "status 500 with the keys in it": () => Response.json({ keys: [first.jwk] }, { status: 500 }),
  "status 404": () => new Response("not found", { status: 404 }),
  "a page of HTML": () => new Response("<!doctype html><title>login</title>", { headers: { "content-type": "text/html" } }),
  "an empty body": () => new Response(""),
  "JSON that is null": () => Response.json(null),
  "a list instead of a set": () => Response.json([first.jwk]),
  "keys that are no list": () => Response.json({ keys: { 0: first.jwk } }),
  "no keys": () => Response.json({ keys: [] }),
  "keys without ids": () => Response.json({ keys: [{ ...first.jwk, kid: undefined }] }),
  "keys that are no keys": () => Response.json({ keys: [null, 1, "key", {}] }),
} as const;
const FAULT_NAMES = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

describe.for(FAULT_NAMES)("while the issuer answers %s", (fault) => {
  test("a claim is told to come back where no key was ever known, nothing is claimed, and all is well once it recovers", async () => {
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

  test("keys that were good go on being good", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    host.answers(FAULTS[fault]);
    passClock(JWKS_TTL_MS);
    expect(await claimWith(first, host)).toBe(GOOD);
    expect(await claimWith(second, host)).toBe(REFUSED);
    host.publish(second.jwk);
    passClock(JWKS_REFRESH_MS_MIN);
    expect(await claimWith(second, host)).toBe(GOOD);
  });
});

describe("while the issuer is down and its keys are known", () => {
  test("made-up key ids cause one fetch per JWKS_REFRESH_MS_MIN", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    host.answers(FAULTS["a refused connection"]);
    passClock(JWKS_REFRESH_MS_MIN);
    for (const id of users(5, "made-up")) expect(await claimWith(await issuerKey("ES256", id), host)).toBe(REFUSED);
    expect(host.fetchCount()).toBe(2);
  });

  test("tokens of keys that are too old cause one fetch per JWKS_REFRESH_MS_MIN", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    host.answers(FAULTS["a refused connection"]);
    passClock(JWKS_TTL_MS);
    for (let count = 0; count < 5; count += 1) expect(await claimWith(first, host)).toBe(GOOD);
    expect(host.fetchCount()).toBe(2);
  });
});

describe("while the issuer stays down", () => {
  test("its keys are good for JWKS_STALE_MS_MAX and no longer, and again as soon as it is back", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    host.answers(FAULTS["a refused connection"]);
    passClock(JWKS_STALE_MS_MAX - 1);
    expect(await claimWith(first, host)).toBe(GOOD);
    passClock(1);
    expect(await claimWith(first, host)).toBe(NO_KEYS);
    host.publish(first.jwk);
    passClock(JWKS_REFRESH_MS_MIN);
    expect(await claimWith(first, host)).toBe(GOOD);
  });
});

describe("requests that come at once cause one fetch, not one each", () => {
  test("50 with key ids that are made up", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    const strangers = await Promise.all(users(50).map((id) => issuerKey("ES256", id)));
    passClock(JWKS_REFRESH_MS_MIN);
    const outcomes = await Promise.all(strangers.map((stranger) => claimWith(stranger, host)));
    expect(new Set(outcomes)).toEqual(new Set([REFUSED]));
    expect(host.fetchCount()).toBe(2);
  });

  test("50 with a key that is too old", async () => {
    setClock(Date.now());
    const host = issuer(first.jwk);
    expect(await claimWith(first, host)).toBe(GOOD);
    passClock(JWKS_TTL_MS);
    const outcomes = await Promise.all(users(50).map(() => claimWith(first, host)));
    expect(new Set(outcomes)).toEqual(new Set([GOOD]));
    expect(host.fetchCount()).toBe(2);
  });
});

test("an issuer that never answers is given up after JWKS_DEADLINE_MS, and the log says so", async () => {
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
