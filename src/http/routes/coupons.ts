// Coupons: what is on offer.

import { OPERATOR_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { answer, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import type { Context } from "../context.ts";
import { couponNameIn } from "../path.ts";
import { isCalledByOperator, type Route } from "../route.ts";
import { CreateCouponBody } from "../schemas.ts";
import * as wire from "../wire.ts";

export const couponRoutes = [
  {
    method: "post",
    path: "/api/coupons",
    summary: "Create a coupon",
    description: "Never resets one that exists.",
    who: "operator",
    body: "CreateCoupon",
    answers: { status: 201, description: "Created; Location names it.", schema: "Coupon", headers: ["Location"] },
    refusals: ["invalid_request", "payload_too_large", "coupon_exists", "unavailable", "outcome_unknown"],
    handle: create,
  },
  {
    method: "get",
    path: "/api/coupons/{name}",
    summary: "Look at a coupon",
    who: "everybody",
    answers: { status: 200, description: "The coupon; who claimed it is shown to the operator only.", schema: "Coupon" },
    refusals: ["coupon_not_found", "unavailable"],
    handle: look,
  },
] as const satisfies readonly Route[];

async function create(c: Context): Promise<Response> {
  const body = await parseBody(c, CreateCouponBody, OPERATOR_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const { name, amount, starts_at: startsAt, ends_at: endsAt } = body;

  const result = await callCoupon(c.env.COUPONS, name, (coupon) => coupon.create({ name, amount, startsAt, endsAt }), "once");

  if (!result.ok) return refuseAs(c, name, result);
  const created = wire.coupon({ ...result.coupon, claimedBy: [] });
  return answer(c, 201, created, result.seq, { Location: `/api/coupons/${encodeURIComponent(name)}` });
}

async function look(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  const claimedBy = await isCalledByOperator(c);

  const result = await callCoupon(c.env.COUPONS, name, (coupon) => coupon.read({ claimedBy }), "read");

  return result.ok ? answer(c, 200, wire.coupon(result.coupon), result.seq) : refuseAs(c, name, result);
}
