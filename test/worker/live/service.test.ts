// Deep health, and the metrics of the service and of all coupons.

import { abortAllDurableObjects } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import type { RequestReport, ServiceCounts } from "../../../src/domain/request-counts.ts";
import { METER_REPORT_MS, METER_VIEWERS_MS } from "../../../src/domain/service-limits.ts";
import type { RawEnv } from "../../../src/edge/env.ts";
import { claim, created, hold } from "../../support/api.ts";
import { passClock, setClock, stopTime, T0 } from "../../support/clock.ts";
import { NOTHING, storedBy } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";
import { workerWith } from "../../support/worker.ts";
import { deliver } from "../delivery/deliver.ts";
import { familiesIn, type Sample } from "./metrics.ts";
import { watcher } from "./viewer.ts";

const broken = (): never => {
  throw new Error("planted");
};
const BROKEN_DB = { prepare: broken } as unknown as D1Database;
const BROKEN_COUPONS = { idFromName: broken } as unknown as RawEnv["COUPONS"];

test.for([
  ["with every part up", {}, 200, "healthy", { coupons: "healthy", database: "healthy" }],
  ["without a database", { DB: undefined }, 200, "healthy", { coupons: "healthy" }],
  ["with a failing database", { DB: BROKEN_DB }, 503, "unhealthy", { coupons: "healthy", database: "failed" }],
  ["with failing objects", { COUPONS: BROKEN_COUPONS }, 503, "unhealthy", { coupons: "failed", database: "healthy" }],
] as const)("the deep health %s has a verdict for each part, and stores nothing", async ([, settings, wanted, verdict, checks]) => {
  const { status, body } = await workerWith(settings)("GET", "/health?deep=1");
  expect([status, body["status"]]).toEqual([wanted, verdict]);
  const parts = Object.entries(checks).map(([part, of]) => [part, { status: of, duration_ms: expect.any(Number) }]);
  expect(body["checks"]).toEqual(Object.fromEntries(parts));
  expect(await storedBy(".")).toEqual(NOTHING);
});

test("the deep health is for the operator alone, and the plain one calls nothing", async () => {
  const closed = workerWith({ ADMIN_AUTH: undefined, ADMIN_TOKEN: "secret", DB: BROKEN_DB, COUPONS: BROKEN_COUPONS });
  expectRefused(await closed("GET", "/health?deep=1"), "401 unauthorized");
  expect((await closed("GET", "/health")).status).toBe(200);
});

function meter() {
  return env.METER.get(env.METER.idFromName(`meter-${crypto.randomUUID()}`));
}

function reportOf(isolate: string, seq: number, count: number, viewers = 0): RequestReport {
  const buckets = Array.from({ length: 12 }, (_, index) => (index === 1 ? count : 0));
  return { isolate, seq, counts: { "GET /health": { statuses: { 200: count }, buckets, ms: 7 * count } }, viewers };
}

test("the meter adds each report once, in any order of deliveries, and keeps the sum over a restart", async () => {
  const name = `meter-${crypto.randomUUID()}`;
  const of = () => env.METER.get(env.METER.idFromName(name));
  for (const [isolate, seq, count] of [
    ["a", 1, 1],
    ["a", 1, 1],
    ["b", 1, 10],
    ["a", 2, 100],
    ["a", 1, 1],
    ["b", 1, 10],
  ] as const) {
    await of().add(reportOf(isolate, seq, count));
  }
  await abortAllDurableObjects();
  expect(await of().read()).toEqual({ counts: reportOf("", 0, 111).counts, viewers: 0 });
});

test("the meter counts viewers only of isolates that have reported recently", async () => {
  setClock(T0);
  const one = meter();
  await one.add(reportOf("a", 1, 1, 5));
  passClock(METER_VIEWERS_MS - 1);
  await one.add(reportOf("b", 1, 1, 2));
  expect((await one.read()).viewers).toBe(7);
  passClock(1);
  expect((await one.read()).viewers).toBe(2);
});

/** A meter that keeps its reports and fails while `isDown`. */
function fakeMeter() {
  const state = { reports: [] as RequestReport[], isDown: false };
  const add = async (report: RequestReport): Promise<true> => {
    state.reports.push(structuredClone(report));
    return state.isDown ? broken() : true;
  };
  const read = async (): Promise<ServiceCounts> => (state.isDown ? broken() : { counts: {}, viewers: 0 });
  return { state, METER: { idFromName: () => "", get: () => ({ add, read }) } as unknown as RawEnv["METER"] };
}

test("a report without an acknowledgement is sent again as it was, and later requests follow in the next", async () => {
  const { state, METER } = fakeMeter();
  const ask = workerWith({ METER });
  await ask("GET", "/metrics");
  state.isDown = true;
  await ask("GET", "/health");
  expect(samplesIn(await ask("GET", "/metrics"))).toContainEqual({ name: "doorbuster_up", labels: { part: "meter" }, value: 0 });
  state.isDown = false;
  for (let again = 0; again < 2; again += 1) await ask("GET", "/metrics");
  const [, failed, repeated, next] = state.reports;
  expect(repeated).toEqual(failed);
  expect(failed?.counts["GET /health"]?.statuses).toEqual({ 200: 1 });
  expect(next).toMatchObject({ seq: (failed?.seq ?? 0) + 1, counts: { "GET /metrics": { statuses: { 200: 2 } } } });
  expect(next?.counts["GET /health"]).toBeUndefined();
});

test("an isolate reports once in ten seconds, however many requests it answers", async () => {
  const pass = stopTime();
  const { state, METER } = fakeMeter();
  const ask = workerWith({ METER });
  await ask("GET", "/metrics");
  state.reports.length = 0;
  await pass(4 * METER_REPORT_MS);
  state.reports.length = 0;
  for (let index = 0; index < 50; index += 1) await ask("GET", "/health");
  await pass(METER_REPORT_MS - 1);
  expect(state.reports).toEqual([]);
  await pass(1);
  expect(state.reports.map(({ counts }) => counts["GET /health"]?.statuses)).toEqual([{ 200: 50 }]);
});

function samplesIn({ body }: { readonly body: Readonly<Record<string, unknown>> }): Sample[] {
  return familiesIn(String(body["text"])).flatMap(({ samples }) => samples);
}

async function scraped(): Promise<{
  readonly families: readonly string[];
  readonly value: (name: string, labels: object) => number | undefined;
}> {
  const families = familiesIn(await (await exports.default.fetch("https://doorbuster.test/metrics")).text());
  const samples = families.flatMap((family) => family.samples);
  const value = (name: string, labels: object) =>
    samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;
  return { families: families.map(({ name }) => name), value };
}

test("the metrics of the service have each family once, all coupons, all requests, and the viewers", async () => {
  const name = await created(5);
  await claim(name, "ada");
  await hold(name, "bob");
  await deliver(name);
  const { families, value } = await scraped();
  expect(new Set(families).size).toBe(families.length);
  expect(value("doorbuster_coupon_units", { coupon: name, state: "remaining" })).toBe(3);
  expect(value("doorbuster_claims_total", { coupon: name, outcome: "granted" })).toBe(1);
  expect(value("doorbuster_ledger_events_total", { coupon: name })).toBe(3);
  expect(value("doorbuster_coupons_cut_off", {})).toBe(0);
  expect(Math.abs((value("doorbuster_read_model_as_of_seconds", {}) ?? 0) - Date.now() / 1000)).toBeLessThan(60);

  const route = { method: "POST", route: "/api/coupons/claim" };
  const claims = value("doorbuster_requests_total", { ...route, status: "201" }) ?? 0;
  expect(value("doorbuster_request_duration_seconds_count", route)).toBe(claims);
  expect(value("doorbuster_request_duration_seconds_bucket", { ...route, le: "+Inf" })).toBe(claims);
  await claim(name, "ada");
  const stream = await watcher(name);
  const later = await scraped();
  expect(later.value("doorbuster_requests_total", { ...route, status: "409" })).toBe(
    (value("doorbuster_requests_total", { ...route, status: "409" }) ?? 0) + 1,
  );
  expect(later.value("doorbuster_requests_total", { ...route, status: "201" })).toBe(claims);
  expect(later.value("doorbuster_viewers", {})).toBe(1);
  await stream.leave();
  await vi.waitFor(async () => expect((await scraped()).value("doorbuster_viewers", {})).toBe(0));
});
