// Holds: a unit kept for one user for a while, for instance during a checkout.

import { CLAIM_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { forgetSoldOut, judged } from "../../edge/sold-out.ts";
import { answer, answerWith, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import { refuseStranger, refuseStrangerOrOperator, refuseTooMany } from "../caller.ts";
import type { Context } from "../context.ts";
import { couponAndUserIn, couponNameIn } from "../path.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";
import { HoldBody } from "../schemas.ts";
import * as wire from "../wire.ts";

export const holdRoutes = [
  {
    method: "post",
    path: "/api/coupons/{name}/holds",
    summary: "Hold one unit of a coupon",
    description:
      "One for each user, never made longer by asking again. A claim by the holder turns it into a claim, also after the sale ended.",
    who: "user",
    body: "HoldRequest",
    answers: [
      { status: 201, description: "A unit is kept until expires_at.", schema: "Hold" },
      { status: 200, description: "The user already has this hold.", schema: "Hold" },
    ],
    refusals: [
      "rate_limited",
      "coupon_not_found",
      "already_claimed",
      "sale_ended",
      "sale_not_started",
      "sale_paused",
      "out_of_stock",
      "outcome_unknown",
    ],
    handle: hold,
  },
  {
    method: "delete",
    path: "/api/coupons/{name}/holds/{user_id}",
    summary: "Give a hold back",
    who: "user",
    answers: [{ status: 204, description: "The user holds nothing." }],
    refusals: ["coupon_not_found", "claim_not_found", "outcome_unknown"],
    handle: giveBack,
  },
] as const satisfies readonly Route[];

async function hold(c: Context): Promise<Response> {
  const body = await parseBody(c, HoldBody, CLAIM_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  const { user_id: userId, ttl_seconds: ttlSeconds } = body;
  note(c, name, userId);
  const refusal = (await refuseStranger(c, userId)) ?? (await refuseTooMany(c, name, userId));
  if (refusal !== null) return refusal;

  const request = { userId, ttlMs: ttlSeconds * 1000, attemptId: c.get("request").attemptId };
  const result = await judged(c.env, name, userId, null, (coupon, wish) => coupon.hold(request, wish), false);

  if (!result.ok) return refuseAs(c, name, result);
  return answer(c, result.isNew ? 201 : 200, { ...wire.hold(name, result.hold), remaining_amount: result.remaining }, result.seq);
}

async function giveBack(c: Context): Promise<Response> {
  const path = couponAndUserIn(c);
  if (path instanceof Response) return path;
  const { name, userId } = path;
  const refusal = await refuseStrangerOrOperator(c, userId);
  if (refusal !== null) return refusal;

  // Not tried again: the user may have asked for another hold in between.
  const result = await callCoupon(c.env.COUPONS, name, (coupon) => coupon.giveBack(userId), "once");
  forgetSoldOut(name);

  return result.ok ? answerWith(c, 204, null, {}, result.seq) : refuseAs(c, name, result);
}
