// Holds: a unit kept for one user for a while, for instance during a checkout.

import { CLAIM_BODY_BYTES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../../domain/limits.ts";
import { judged } from "../../edge/certificates.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { answer, answerWith, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import { refuseStranger, refuseStrangerOrOperator, refuseTooMany } from "../caller.ts";
import { workerOf, type Context } from "../context.ts";
import { couponAndUserIn, couponNameIn } from "../path.ts";
import { integerIn } from "../query.ts";
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
      "hold_released",
      "hold_too_long",
      "hold_limit_reached",
      "outcome_unknown",
    ],
    handle: hold,
  },
  {
    method: "get",
    path: "/api/coupons/{name}/holds",
    summary: "List the running holds",
    description: "In the order of their user ids.",
    who: "operator",
    query: {
      after: { type: "string", description: "The user id behind which the page begins." },
      limit: { type: "integer", minimum: 1, maximum: PAGE_SIZE_MAX, default: PAGE_SIZE_DEFAULT },
    },
    answers: [{ status: 200, description: "A page.", schema: "Holds" }],
    refusals: ["invalid_request", "coupon_not_found"],
    handle: list,
  },
  {
    method: "delete",
    path: "/api/coupons/{name}/holds",
    summary: "End all holds",
    description: "All units that are held return to the stock. While the sale is closed it may take up to about a second.",
    who: "operator",
    answers: [{ status: 200, description: "They are ended.", schema: "EndedHolds" }],
    refusals: ["coupon_not_found", "outcome_unknown"],
    handle: endAll,
  },
  {
    method: "delete",
    path: "/api/coupons/{name}/holds/{user_id}",
    summary: "Give a hold back",
    who: "user",
    answers: [{ status: 204, description: "The user holds nothing." }],
    refusals: ["coupon_not_found", "claim_not_found", "outcome_unknown"],
    handle: releaseHold,
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
  const result = await judged(workerOf(c), name, { userId, key: null }, (coupon) => coupon.hold(request), false);

  if (!result.ok) return refuseAs(c, name, result);
  return answer(c, result.isNew ? 201 : 200, { ...wire.hold(name, result.hold), remaining_amount: result.remaining }, result.seq);
}

async function releaseHold(c: Context): Promise<Response> {
  const path = couponAndUserIn(c);
  if (path instanceof Response) return path;
  const { name, userId } = path;
  const refusal = await refuseStrangerOrOperator(c, userId);
  if (refusal !== null) return refusal;

  // Not tried again: the user may have asked for another hold in between.
  const result = await callCoupon(c.env, name, (coupon) => coupon.releaseHold(userId), "once");

  return result.ok ? answerWith(c, 204, null, {}, result.seq) : refuseAs(c, name, result);
}

async function list(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);
  const limit = integerIn(c.req.query("limit") ?? String(PAGE_SIZE_DEFAULT), 1, PAGE_SIZE_MAX);
  if (limit === null) return refuse(c, "invalid_request", { error: "invalid request: limit is invalid" });
  const after = c.req.query("after") ?? "";

  const result = await callCoupon(c.env, name, (coupon) => coupon.listHolds(after, limit), "read");

  if (!result.ok) return refuseAs(c, name, result);
  return answer(c, 200, { holds: result.holds.map((one) => wire.hold(name, one)), next: result.next }, result.seq);
}

async function endAll(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);

  const result = await callCoupon(c.env, name, (coupon) => coupon.releaseAllHolds(), "once");

  if (!result.ok) return refuseAs(c, name, result);
  return answer(c, 200, { coupon_name: name, ended_count: result.count, remaining_amount: result.remaining }, result.seq);
}
