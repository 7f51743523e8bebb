// One coupon's numbers for the operator's monitoring.

import { callCoupon } from "../../edge/coupon-calls.ts";
import { answerWith, refuse, refuseAs } from "../answers.ts";
import type { Context } from "../context.ts";
import { couponNameIn } from "../path.ts";
import { prometheusText } from "../prometheus.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";

export const metricsRoutes = [
  {
    method: "get",
    path: "/api/coupons/{name}/metrics",
    summary: "The coupon's metrics",
    description: "In the Prometheus text format. Counts of refusals may be up to five seconds short after the object was lost.",
    who: "operator",
    answers: [{ status: 200, description: "The metrics.", mediaTypes: ["text/plain"] }],
    refusals: ["coupon_not_found"],
    handle: metrics,
  },
] as const satisfies readonly Route[];

async function metrics(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);

  const result = await callCoupon(c.env, name, (coupon) => coupon.metrics(), "read");

  if (!result.ok) return refuseAs(c, name, result);
  const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" };
  return answerWith(c, 200, prometheusText(result.coupon, result.outcomes), headers, result.seq);
}
