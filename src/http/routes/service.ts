// The routes of the service: its health, and a coupon's metrics.

import { HEALTH_DEADLINE_MS, METRICS_COUPONS_MAX } from "../../domain/service-limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { callCourier } from "../../edge/courier-calls.ts";
import { reportRefusals } from "../../edge/refusal-counts.ts";
import type { Env } from "../../edge/env.ts";
import { readMeter } from "../../edge/request-meter.ts";
import { failingSinks } from "../../read-model/failing-sinks.ts";
import { liveCoupons, readFreshness } from "../../read-model/queries.ts";
import { fromDatabase } from "../database.ts";
import { JSON_TYPE, METRICS_TYPE } from "../media-types.ts";
import { prometheusText, serviceText } from "../prometheus.ts";
import { TOKEN_REQUIRED, type Refusal } from "../refusals.ts";
import { couponMetrics, instant } from "../../wire.ts";
import { ok, route } from "../route.ts";
import { HealthAnswer, MetricsAnswer, TextAnswer, UnhealthyAnswer } from "../answer-schemas.ts";
import { queryChoice } from "../request-schemas.ts";

const METRICS_CONTENT_TYPE = `${METRICS_TYPE}; version=0.0.4; charset=utf-8` as const;

/** No coupon can have this name (`nameFault`), so its object never stores anything. */
const CANARY = ".";

export const getHealth = route({
  id: "getHealth",
  tag: "service",
  method: "GET",
  path: "/health",
  summary: "Get whether the Worker is up",
  description: "Calls nothing. With `deep`, for the operator, an object without a coupon and the database must answer too.",
  who: "everybody",
  query: { deep: queryChoice(["1"], "Check the parts behind the Worker.") },
  successes: {
    200: { description: "It is.", content: { [JSON_TYPE]: HealthAnswer } },
    503: { description: "A part failed.", content: { [JSON_TYPE]: UnhealthyAnswer } },
  },
  refusals: ["unauthorized"],
  async handle({ query: { deep } }, { worker: { env }, isOperator }) {
    if (deep === null) return ok(200, { json: { status: "healthy", server_time: instant(Date.now()) } });
    if (!(await isOperator())) return { ok: false, code: "unauthorized", error: TOKEN_REQUIRED.operator };
    const [coupons, database] = await Promise.all([
      checked(canaryFault(env)),
      env.DB === undefined ? null : checked(fromDatabase(env, readFreshness, HEALTH_DEADLINE_MS)),
    ]);
    const checks = { coupons: coupons.check, ...(database === null ? {} : { database: database.check }) };
    const json = { server_time: instant(Date.now()), checks };
    const hidden = coupons.fault ?? database?.fault ?? null;
    return hidden === null
      ? ok(200, { json: { status: "healthy", ...json } })
      : ok(503, { json: { status: "unhealthy", ...json }, hidden });
  },
});

async function canaryFault(env: Env): Promise<Refusal | { readonly ok: true }> {
  const result = await callCoupon(env, CANARY, (coupon) => coupon.read({ claimedBy: false }), "read", HEALTH_DEADLINE_MS);
  return result.ok || result.code === "coupon_not_found" ? { ok: true } : result;
}

/** Returns whether `work` succeeded, and the time that it took. */
async function checked(work: Promise<Refusal | { readonly ok: true }>) {
  const startedAt = Date.now();
  const result = await work;
  const status: "healthy" | "failed" = result.ok ? "healthy" : "failed";
  return { check: { status, duration_ms: Math.max(0, Date.now() - startedAt) }, fault: result.ok ? null : result };
}

export const getMetrics = route({
  id: "getMetrics",
  tag: "service",
  method: "GET",
  path: "/api/coupons/{name}/metrics",
  summary: "Get the coupon's metrics",
  description:
    "In the Prometheus text format, or in JSON for a caller who prefers it. Counts of refusals may be a second late, and up to five seconds short after the object was lost.",
  who: "operator",
  successes: { 200: { description: "The metrics.", content: { [METRICS_TYPE]: TextAnswer, [JSON_TYPE]: MetricsAnswer } } },
  refusals: [],
  async handle({ params: { name }, mediaType }, { worker }) {
    await reportRefusals(worker.env, name);
    const result = await callCoupon(worker.env, name, (coupon) => coupon.metrics(), "read");
    if (!result.ok) return result;
    const { coupon, outcomes, seq } = result;
    if (mediaType === JSON_TYPE) return ok(200, { json: couponMetrics(coupon, outcomes), seq });
    const delivery = await callCourier(worker.env, name, (courier) => courier.state(), "read");
    const text = prometheusText(coupon, outcomes, delivery.ok ? delivery.value : null, Date.now());
    return ok(200, { contentType: METRICS_CONTENT_TYPE, text, seq });
  },
});

export const getServiceMetrics = route({
  id: "getServiceMetrics",
  tag: "service",
  method: "GET",
  path: "/metrics",
  summary: "Get the metrics of the service and of all coupons",
  description: `In the Prometheus text format: up to ${METRICS_COUPONS_MAX} coupons that are not archived, as the database has them, and the requests of all isolates, which report at most once in ten seconds. A part that fails is left out, and its doorbuster_up is 0.`,
  who: "operator",
  successes: { 200: { description: "The metrics.", content: { [METRICS_TYPE]: TextAnswer } } },
  refusals: [],
  async handle(_input, { worker: { env } }) {
    const [database, meter] = await Promise.all([
      fromDatabase(env, async (db) => {
        const asOf = await readFreshness(db);
        const failing = await failingSinks(db, METRICS_COUPONS_MAX);
        return { asOf, failing, coupons: await liveCoupons(db, METRICS_COUPONS_MAX + 1, Date.now()) };
      }),
      readMeter(env),
    ]);
    const text = serviceText({
      ...(env.DB === undefined ? {} : { database: database.ok ? database.value : null }),
      ...(env.METER === undefined ? {} : { meter }),
    });
    return ok(200, { contentType: METRICS_CONTENT_TYPE, text, ...(database.ok || env.DB === undefined ? {} : { hidden: database }) });
  },
});
