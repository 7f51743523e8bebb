// The routes of the service: its health, and a coupon's metrics.

import { callCoupon } from "../../edge/coupon-calls.ts";
import { reportRefusals } from "../../edge/refusal-counts.ts";
import { HOME_CSP, HOME_PAGE } from "../home-page.ts";
import { HTML_TYPE, JSON_TYPE, METRICS_TYPE } from "../media-types.ts";
import { prometheusText } from "../prometheus.ts";
import { instant } from "../../wire.ts";
import { ok, route } from "../route.ts";
import { HealthAnswer, HomeAnswer, TextAnswer } from "../answer-schemas.ts";

export const getHome = route({
  id: "getHome",
  tag: "service",
  method: "GET",
  path: "/",
  summary: "Get a page with links",
  description: "The same links in JSON for a caller who prefers it.",
  who: "everybody",
  successes: {
    200: {
      description: "Where to go on.",
      content: { [HTML_TYPE]: TextAnswer, [JSON_TYPE]: HomeAnswer },
      headers: ["Content-Security-Policy"],
    },
  },
  refusals: [],
  handle({ mediaType }) {
    if (mediaType === JSON_TYPE) return ok(200, { json: { name: "Doorbuster", links: { openapi: "/openapi.json", health: "/health" } } });
    const headers = { "Content-Security-Policy": HOME_CSP };
    return ok(200, { contentType: `${HTML_TYPE}; charset=utf-8`, text: HOME_PAGE, headers });
  },
});

export const getHealth = route({
  id: "getHealth",
  tag: "service",
  method: "GET",
  path: "/health",
  summary: "Get whether the Worker is up",
  who: "everybody",
  successes: { 200: { description: "It is.", content: { [JSON_TYPE]: HealthAnswer } } },
  refusals: [],
  handle: () => ok(200, { json: { status: "healthy", server_time: instant(Date.now()) } }),
});

export const getMetrics = route({
  id: "getMetrics",
  tag: "service",
  method: "GET",
  path: "/api/coupons/{name}/metrics",
  summary: "Get the coupon's metrics",
  description:
    "In the Prometheus text format. Counts of refusals may be a second late, and up to five seconds short after the object was lost.",
  who: "operator",
  successes: { 200: { description: "The metrics.", content: { [METRICS_TYPE]: TextAnswer } } },
  refusals: [],
  async handle({ params: { name } }, { worker }) {
    await reportRefusals(worker.env, name);
    const result = await callCoupon(worker.env, name, (coupon) => coupon.metrics(), "read");
    if (!result.ok) return result;
    const { coupon, outcomes, seq } = result;
    const contentType = `${METRICS_TYPE}; version=0.0.4; charset=utf-8` as const;
    return ok(200, { contentType, text: prometheusText(coupon, outcomes), seq });
  },
});
