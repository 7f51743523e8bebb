// A coupon's metrics for the operator's monitoring.

import { exports } from "cloudflare:workers";
import { sign } from "hono/jwt";
import { expect, test } from "vitest";

import {
  change,
  claim,
  create,
  created,
  freshName,
  hold,
  outcomeOf,
  pathOf,
  read,
  remove,
  revoke,
  send,
  users,
} from "../../support/api.ts";
import { SPENT, workerWith } from "../../support/worker.ts";
import { claimCounts, familiesIn, metricsText, valuesOf } from "./metrics.ts";

const CLAIM = "/api/coupons/claim";
const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const FAMILIES = {
  doorbuster_claims_total: "counter",
  doorbuster_claim_batch_size: "histogram",
  doorbuster_coupon_units: "gauge",
  doorbuster_coupon_amount: "gauge",
  doorbuster_coupon_open: "gauge",
  doorbuster_ledger_events_total: "counter",
  doorbuster_delivery_lag_events: "gauge",
  doorbuster_delivery_lag_seconds: "gauge",
  doorbuster_delivery_failed_attempts: "gauge",
} as const;

test("the metrics are Prometheus text that is not cached", async () => {
  const name = await created(5);
  const { status, headers } = await exports.default.fetch(`https://doorbuster.test${pathOf(name, "metrics")}`);
  expect(status).toBe(200);
  expect(headers.get("Content-Type")).toBe(TEXT);
  expect(headers.get("Cache-Control")).toBe("no-store, no-transform");
  expect(headers.get("Coupon-Seq")).toBe("1");
});

test.for([
  ["application/json", "application/json"],
  ["text/plain;q=0.5, application/json", "application/json"],
  ["*/*", TEXT],
  ["text/html,application/xml;q=0.9,*/*;q=0.8", TEXT],
  ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", TEXT],
] as const)("the metrics for Accept: %s are %s", async ([accept, contentType]) => {
  const response = await exports.default.fetch(`https://doorbuster.test${pathOf(await created(1), "metrics")}`, { headers: { accept } });
  expect(response.headers.get("Content-Type")).toBe(contentType);
  await response.body?.cancel();
});

test("the metrics as JSON have the same counts as the text", async () => {
  const name = await created(3);
  const key = { "Idempotency-Key": "key-1" };
  for (let time = 1; time <= 3; time += 1) await claim(name, "ada", key);
  await hold(name, "bob");
  await claim(name, " ");
  const { body, headers } = await send("GET", pathOf(name, "metrics"), { headers: { accept: "application/json" } });
  const { outcomes, ...others } = body;
  expect(others).toEqual({ coupon_name: name, claimed_amount: 1, held_amount: 1, remaining_amount: 1 });
  expect(outcomes).toMatchObject({ granted: 1, replayed: 2, invalid_request: 1, out_of_stock: 0 });
  const labelled = Object.entries(outcomes as Record<string, number>).map(([outcome, count]) => [`outcome=${outcome}`, count]);
  expect(Object.fromEntries(labelled)).toEqual(await valuesOf(name, "doorbuster_claims_total"));
  expect(headers.get("Coupon-Seq")).toBe("3");
});

test("the metrics have each family once, with the coupon and no user", async () => {
  const name = await created(5);
  await Promise.all(users(9, "zoe").map((user) => claim(name, user, { "Idempotency-Key": `key-of-${user}` })));
  const text = await metricsText(name);
  expect(text).not.toMatch(/zoe/);
  const families = familiesIn(text);
  expect(Object.fromEntries(families.map(({ name: family, type }) => [family, type]))).toEqual(FAMILIES);
  const samples = families.flatMap((family) => family.samples.map((sample) => ({ family: family.name, ...sample })));
  expect(samples.filter(({ labels }) => labels["coupon"] !== name)).toEqual([]);
  expect(samples.filter(({ family, name: sample }) => !sample.startsWith(family))).toEqual([]);
  const keys = samples.map(({ name: sample, labels }) => JSON.stringify([sample, labels]));
  expect(new Set(keys).size).toBe(keys.length);
});

test("the metrics of a coupon without claims have every family", async () => {
  const name = await created(5);
  expect(familiesIn(await metricsText(name)).map(({ name: family }) => family)).toEqual(Object.keys(FAMILIES));
  const outcomes = `granted replayed already_claimed claim_released out_of_stock sale_ended sale_not_started sale_paused
    idempotency_key_reused invalid_request unauthorized forbidden rate_limited challenge_failed unavailable`.split(/\s+/);
  const zeros = Object.fromEntries(outcomes.map((outcome) => [`outcome=${outcome}`, 0]));
  expect(await valuesOf(name, "doorbuster_claims_total")).toEqual(zeros);
  expect(await valuesOf(name, "doorbuster_claim_batch_size")).toMatchObject({ "_bucket le=+Inf": 0, _sum: 0, _count: 0 });
});

test.for(['say "please"', "at the end\\", '\\"', "\\n is no line break", 'a",outcome="granted', "{a=b} 7", "# HELP", "two\u2028lines 🎉"])(
  "the metrics escape the coupon's name %s",
  async (name) => {
    await create(name, 3);
    await claim(name, "ada");
    const samples = familiesIn(await metricsText(name)).flatMap((family) => family.samples);
    expect(samples.length).toBeGreaterThan(10);
    expect(new Set(samples.map(({ labels }) => labels["coupon"]))).toEqual(new Set([name]));
    expect(await claimCounts(name)).toEqual({ "outcome=granted": 1 });
  },
);

test("the metrics are for the operator alone, who gets 404 for a missing coupon", async () => {
  const ask = workerWith({ ADMIN_AUTH: "on", ADMIN_TOKEN: "operator" });
  const missing = pathOf(freshName(), "metrics");
  for (const path of [pathOf(await created(5), "metrics"), missing]) {
    for (const authorization of [undefined, "Bearer another"]) {
      expect(outcomeOf(await ask("GET", path, { authorization }))).toBe("401 unauthorized");
    }
  }
  expect(outcomeOf(await ask("GET", missing, { authorization: "Bearer operator" }))).toBe("404 coupon_not_found");
});

test("doorbuster_claims_total counts each outcome of a claim", async () => {
  const name = await created(3);
  const key = { "Idempotency-Key": "key-1" };
  await claim(name, "ada", key);
  await claim(name, "ada", key);
  await claim(name, "ada");
  await claim(name, "bob", key);
  await revoke(name, "ada");
  await claim(name, "ada", key);
  await change(name, { paused: true });
  await claim(name, "cid");
  await change(name, { paused: false, starts_at: "2999-01-01T00:00:00Z" });
  await claim(name, "cid");
  await change(name, { starts_at: null, ends_at: "2020-01-01T00:00:00Z" });
  await claim(name, "cid");
  await change(name, { ends_at: null, amount: 1 });
  await claim(name, "dan");
  await claim(name, "eve");
  expect(await claimCounts(name)).toEqual({
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

test("doorbuster_claims_total counts the Worker's refusals for coupons that exist", async () => {
  const name = await created(5);
  const ask = workerWith({ ...SPENT, IDENTITY_SECRET: "a-secret" });
  const body = { user_id: "ada", coupon_name: name };
  const authorization = `Bearer ${await sign({ sub: "ada" }, "a-secret")}`;
  await ask("POST", CLAIM, { body });
  await ask("POST", CLAIM, { body: { ...body, user_id: "bob" }, authorization });
  for (let time = 1; time <= 3; time += 1) await ask("POST", CLAIM, { body, authorization });
  await workerWith({ TURNSTILE_SECRET: "a-secret" })("POST", CLAIM, { body });
  await claim(name, " ");
  await claim(name, "ada", { "Idempotency-Key": "two words" });
  await claim(freshName(), " ");
  await send("POST", CLAIM, { raw: "no JSON" });
  expect(await claimCounts(name)).toEqual({
    "outcome=unauthorized": 1,
    "outcome=forbidden": 1,
    "outcome=rate_limited": 3,
    "outcome=challenge_failed": 1,
    "outcome=invalid_request": 2,
  });
});

test("doorbuster_claims_total ignores holds and reads, and refusals for unknown coupons call no object", async () => {
  const name = await created(5);
  await hold(name, "ada");
  await read(name);
  expect(await claimCounts(name)).toEqual({});
  const works: Promise<unknown>[] = [];
  await workerWith(SPENT, works)("POST", CLAIM, { body: { user_id: "ada", coupon_name: freshName() } });
  expect(works).toEqual([]);
});

test("doorbuster_claims_total begins at 0 for a coupon that was created again", async () => {
  const name = await created(1);
  await claim(name, "ada");
  await claim(name, "bob");
  await remove(name);
  await create(name, 5);
  expect(await claimCounts(name)).toEqual({});
});

test("doorbuster_claim_batch_size counts claims that come alone as batches of one", async () => {
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

test("doorbuster_claim_batch_size is cumulative and adds up after batches of every size", async () => {
  const name = await created(1000);
  for (const size of [1, 3, 10, 40, 150, 300]) await Promise.all(users(size).map((user) => claim(name, user)));
  const { _sum: sum, _count: count, ...buckets } = await valuesOf(name, "doorbuster_claim_batch_size");
  const cumulative = Object.values(buckets);
  expect(sum).toBe(504);
  expect(Object.values(await claimCounts(name)).reduce((total, claims) => total + claims, 0)).toBe(504);
  expect(cumulative.at(-1)).toBe(count);
  expect(cumulative).toEqual(cumulative.toSorted((a, b) => a - b));

  // The buckets bound the sum from both sides.
  const bounds = [0, 1, 4, 16, 64, 256, 1024, 1024];
  const inBucket = cumulative.map((total, index) => total - (cumulative[index - 1] ?? 0));
  const least = inBucket.reduce((total, batches, index) => total + batches * ((bounds[index] ?? 0) + 1), 0);
  const most = inBucket.reduce((total, batches, index) => total + batches * (bounds[index + 1] ?? 0), 0);
  expect(sum).toBeGreaterThanOrEqual(least);
  expect(sum).toBeLessThanOrEqual(most);
});

test("the gauges show the units by state and the length of the ledger", async () => {
  const name = await created(10);
  await Promise.all(users(3).map((user) => claim(name, user)));
  await hold(name, "holder");
  expect(await valuesOf(name, "doorbuster_coupon_units")).toEqual({ "state=claimed": 3, "state=held": 1, "state=remaining": 6 });
  expect(await valuesOf(name, "doorbuster_coupon_amount")).toEqual({ "": 10 });
  expect(await valuesOf(name, "doorbuster_ledger_events_total")).toEqual({ "": 5 });
});

test.for([
  ["open", 1, {}],
  ["paused", 0, { paused: true }],
  ["scheduled", 0, { starts_at: "2999-01-01T00:00:00Z" }],
  ["ended", 0, { ends_at: "2020-01-01T00:00:00Z" }],
  ["sold-out", 0, { amount: 1 }],
] as const)("doorbuster_coupon_open of a sale that is %s is %i", async ([, open, facts]) => {
  const name = await created(5);
  await claim(name, "ada");
  await change(name, facts);
  expect(await valuesOf(name, "doorbuster_coupon_open")).toEqual({ "": open });
});
