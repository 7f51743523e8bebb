// A coupon's metrics for the operator's monitoring.

import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { claim, create, created, freshName, read, send, users } from "../../support/api.ts";
import { workerWith } from "../../support/worker.ts";
import { familiesIn, metricsText, valuesOf } from "./metrics.ts";

const FAMILIES = {
  doorbuster_claims_total: "counter",
  doorbuster_claim_batch_size: "histogram",
  doorbuster_coupon_units: "gauge",
  doorbuster_coupon_amount: "gauge",
  doorbuster_coupon_open: "gauge",
  doorbuster_ledger_events_total: "counter",
} as const;

function claimsOf(name: string): Promise<Record<string, number>> {
  return valuesOf(name, "doorbuster_claims_total");
}

describe("the metrics", () => {
  test("are Prometheus text, and are not kept", async () => {
    const name = await created(5);
    const { status, headers } = await exports.default.fetch(`https://doorbuster.test/api/coupons/${name}/metrics`);
    expect(status).toBe(200);
    expect(headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Coupon-Seq")).toBe("1");
  });

  test("are families with a help and a type, whose samples are all named by the coupon, none of them twice", async () => {
    const name = await created(5);
    await Promise.all(users(9).map((user) => claim(name, user)));
    const families = familiesIn(await metricsText(name));
    expect(Object.fromEntries(families.map(({ name: family, type }) => [family, type]))).toEqual(FAMILIES);
    const samples = families.flatMap((family) => family.samples.map((sample) => ({ family: family.name, ...sample })));
    expect(samples.filter(({ labels }) => labels["coupon"] !== name)).toEqual([]);
    expect(samples.filter(({ family, name: sample }) => !sample.startsWith(family))).toEqual([]);
    const keys = samples.map(({ name: sample, labels }) => JSON.stringify([sample, labels]));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("of a coupon without any claim are all there", async () => {
    const name = await created(5);
    expect(familiesIn(await metricsText(name)).map(({ name: family }) => family)).toEqual(Object.keys(FAMILIES));
    expect(await claimsOf(name)).toEqual({ "outcome=granted": 0 });
    expect(await valuesOf(name, "doorbuster_claim_batch_size")).toMatchObject({ "_bucket le=+Inf": 0, _sum: 0, _count: 0 });
  });

  test.for([
    'say "please"',
    "back\\slash",
    "at the end\\",
    '\\"',
    "\\n is no line break",
    'a",outcome="granted',
    "{a=b} 7",
    "# HELP",
    "用户 🎉",
    "two\u2028lines",
    "a b",
  ])("carry the coupon's name whatever it is: %s", async (name) => {
    await create(name, 3);
    await claim(name, "ada");
    const samples = familiesIn(await metricsText(name)).flatMap((family) => family.samples);
    expect(samples.length).toBeGreaterThan(10);
    expect(new Set(samples.map(({ labels }) => labels["coupon"]))).toEqual(new Set([name]));
    expect(await claimsOf(name)).toEqual({ "outcome=granted": 1 });
  });

  test("carry no user id", async () => {
    const name = await created(5);
    await claim(name, "zoe-lovelace", { "Idempotency-Key": "key-of-zoe" });
    expect(await metricsText(name)).not.toMatch(/zoe/);
  });
});

describe("who may see them", () => {
  const ask = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator" });

  test("is the operator alone", async () => {
    const path = `/api/coupons/${await created(5)}/metrics`;
    for (const authorization of ["", "Bearer another"]) {
      const { status, body } = await ask("GET", path, { authorization });
      expect([status, body["code"]]).toEqual([401, "unauthorized"]);
    }
    const worker = workerWith({ ADMIN_AUTH: "on" });
    expect((await worker("GET", path, { authorization: "Bearer operator" })).status).toBe(401);
  });

  test("is refused alike with and without a coupon unless it is the operator", async () => {
    const path = `/api/coupons/${freshName()}/metrics`;
    expect((await ask("GET", path)).status).toBe(401);
    const { status, body } = await ask("GET", path, { authorization: "Bearer operator" });
    expect([status, body["code"]]).toEqual([404, "coupon_not_found"]);
  });
});

describe("claims are counted by how they ended", () => {
  test("each outcome once", async () => {
    const name = await created(3);
    const patch = (body: unknown) => send("PATCH", `/api/coupons/${name}`, { body });
    const key = { "Idempotency-Key": "key-1" };
    await claim(name, "ada", key);
    await claim(name, "ada", key);
    await claim(name, "ada");
    await claim(name, "bob", key);
    await send("DELETE", `/api/coupons/${name}/claims/ada`);
    await claim(name, "ada", key);
    await patch({ paused: true });
    await claim(name, "cid");
    await patch({ paused: false, starts_at: "2999-01-01T00:00:00Z" });
    await claim(name, "cid");
    await patch({ starts_at: null, ends_at: "2020-01-01T00:00:00Z" });
    await claim(name, "cid");
    await patch({ ends_at: null, amount: 1 });
    await claim(name, "dan");
    await claim(name, "eve");
    expect(await claimsOf(name)).toEqual({
      "outcome=granted": 2,
      "outcome=replayed": 1,
      "outcome=already_claimed": 1,
      "outcome=idempotency_key_reused": 1,
      "outcome=claim_released": 1,
      "outcome=sale_paused": 1,
      "outcome=sale_not_started": 1,
      "outcome=sale_ended": 1,
      "outcome=out_of_stock": 1,
    });
  });

  test("a storm as exactly as it was answered", async () => {
    const name = await created(40);
    await Promise.all([...users(100), ...users(30)].map((user) => claim(name, user)));
    const { "outcome=granted": granted, ...refused } = await claimsOf(name);
    expect(granted).toBe(40);
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(90);
  });

  test("but not what the Worker refused, and no hold", async () => {
    const name = await created(5);
    await send("POST", "/api/coupons/claim", { body: { user_id: " ", coupon_name: name } });
    await send("POST", `/api/coupons/${name}/holds`, { body: { user_id: "ada", ttl_seconds: 60 } });
    await read(name);
    expect(await claimsOf(name)).toEqual({ "outcome=granted": 0 });
  });

  test("from nothing again where the coupon was deleted and created again", async () => {
    const name = await created(1);
    await claim(name, "ada");
    await claim(name, "bob");
    await send("DELETE", `/api/coupons/${name}`);
    await create(name, 5);
    expect(await claimsOf(name)).toEqual({ "outcome=granted": 0 });
    await claim(name, "bob");
    expect(await claimsOf(name)).toEqual({ "outcome=granted": 1 });
  });
});

describe("the histogram of batches", () => {
  test("counts claims that come alone in batches of one", async () => {
    const name = await created(5);
    for (const user of users(3)) await claim(name, user);
    expect(await valuesOf(name, "doorbuster_claim_batch_size")).toEqual({
      "_bucket le=1": 3,
      "_bucket le=4": 3,
      "_bucket le=16": 3,
      "_bucket le=64": 3,
      "_bucket le=256": 3,
      "_bucket le=1024": 3,
      "_bucket le=+Inf": 3,
      _sum: 3,
      _count: 3,
    });
  });

  test("is cumulative and adds up after storms of every size", async () => {
    const name = await created(1000);
    for (const size of [1, 3, 10, 40, 150, 300]) await Promise.all(users(size).map((user) => claim(name, user)));
    const { _sum: sum, _count: count, ...buckets } = await valuesOf(name, "doorbuster_claim_batch_size");
    const cumulative = Object.values(buckets);
    expect(sum).toBe(504);
    expect(Object.values(await claimsOf(name)).reduce((total, claims) => total + claims, 0)).toBe(504);
    expect(cumulative.at(-1)).toBe(count);
    expect(cumulative).toEqual(cumulative.toSorted((a, b) => a - b));

    // The sum lies between what the buckets allow at least and at most; no batch is larger than 512.
    const bounds = [0, 1, 4, 16, 64, 256, 1024, 1024];
    const inBucket = cumulative.map((total, index) => total - (cumulative[index - 1] ?? 0));
    const least = inBucket.reduce((total, batches, index) => total + batches * ((bounds[index] ?? 0) + 1), 0);
    const most = inBucket.reduce((total, batches, index) => total + batches * (bounds[index + 1] ?? 0), 0);
    expect(sum).toBeGreaterThanOrEqual(least);
    expect(sum).toBeLessThanOrEqual(most);
  });
});

describe("the gauges", () => {
  test("say what became of the units, and how long the ledger is", async () => {
    const name = await created(10);
    await Promise.all(users(3).map((user) => claim(name, user)));
    await send("POST", `/api/coupons/${name}/holds`, { body: { user_id: "holder", ttl_seconds: 60 } });
    expect(await valuesOf(name, "doorbuster_coupon_units")).toEqual({ "state=claimed": 3, "state=held": 1, "state=remaining": 6 });
    expect(await valuesOf(name, "doorbuster_coupon_amount")).toEqual({ "": 10 });
    expect(await valuesOf(name, "doorbuster_ledger_events_total")).toEqual({ "": 5 });
  });

  test.for([
    ["open", {}, 1],
    ["paused", { paused: true }, 0],
    ["scheduled", { starts_at: "2999-01-01T00:00:00Z" }, 0],
    ["ended", { ends_at: "2020-01-01T00:00:00Z" }, 0],
    ["sold out", { amount: 1 }, 0],
  ] as const)("say whether the sale is open: %s", async ([, change, open]) => {
    const name = await created(5);
    await claim(name, "ada");
    await send("PATCH", `/api/coupons/${name}`, { body: change });
    expect(await valuesOf(name, "doorbuster_coupon_open")).toEqual({ "": open });
  });
});
