// The routes of holds. A hold keeps a unit for one user for a while, for instance during a checkout.

import { CLOSED_CODES } from "../../domain/claim.ts";
import { CLAIM_BODY_BYTES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../../domain/limits.ts";
import { callOrRefuse } from "../../edge/certificates.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { JSON_TYPE } from "../media-types.ts";
import * as wire from "../../wire.ts";
import { ok, route } from "../route.ts";
import * as answers from "../answer-schemas.ts";
import * as requests from "../request-schemas.ts";

const HOLD = { [JSON_TYPE]: answers.HoldAnswer } as const;

export const holdUnit = route({
  id: "holdUnit",
  tag: "holds",
  method: "POST",
  path: "/api/coupons/{name}/holds",
  summary: "Hold one unit of a coupon",
  description: "One for each user. Asking again never extends it. A claim by the holder turns it into a claim, also after the sale ended.",
  who: "user",
  isRateLimited: true,
  needsChallenge: true,
  body: { schema: requests.HoldBody, bytesMax: CLAIM_BODY_BYTES_MAX },
  successes: {
    201: { description: "A unit is kept until expires_at.", content: HOLD },
    200: { description: "The user already has this hold.", content: HOLD },
  },
  refusals: ["already_claimed", "hold_released", "hold_too_long", "hold_limit_reached", ...CLOSED_CODES],
  async handle({ params: { name }, body: { user_id: userId, ttl_seconds: ttlSeconds } }, { worker, attemptId }) {
    const request = { userId, ttlMs: ttlSeconds * 1000, attemptId };
    const result = await callOrRefuse(worker, name, { userId, key: null }, (coupon) => coupon.hold(request), false);
    if (!result.ok) return result;
    const { hold, isNew, remaining, seq } = result;
    const answer = { json: { ...wire.hold(name, hold), remaining_amount: remaining }, seq };
    return isNew ? ok(201, answer) : ok(200, answer);
  },
});

export const listHolds = route({
  id: "listHolds",
  tag: "holds",
  method: "GET",
  path: "/api/coupons/{name}/holds",
  summary: "List the running holds",
  description: "In the order of their user ids.",
  who: "operator",
  query: {
    after: requests.queryText("The page begins behind this user id."),
    limit: requests.queryInteger(1, PAGE_SIZE_MAX, "Holds on a page.", PAGE_SIZE_DEFAULT),
  },
  successes: { 200: { description: "A page.", content: { [JSON_TYPE]: answers.HoldsAnswer } } },
  refusals: [],
  async handle({ params: { name }, query: { after, limit } }, { worker }) {
    const result = await callCoupon(worker.env, name, (coupon) => coupon.listHolds(after, limit), "read");
    if (!result.ok) return result;
    const { holds, next, seq } = result;
    return ok(200, { json: { holds: holds.map((one) => wire.hold(name, one)), next }, seq });
  },
});

export const releaseAllHolds = route({
  id: "releaseAllHolds",
  tag: "holds",
  method: "DELETE",
  path: "/api/coupons/{name}/holds",
  summary: "Release all holds",
  description: "All held units return to the stock. While the sale is closed it may take up to about a second.",
  who: "operator",
  successes: { 200: { description: "No hold runs any more.", content: { [JSON_TYPE]: answers.ReleasedHoldsAnswer } } },
  refusals: [],
  async handle({ params: { name } }, { worker, actor }) {
    const result = await callCoupon(worker.env, name, (coupon) => coupon.releaseAllHolds(actor), "once");
    if (!result.ok) return result;
    const { count, remaining, seq } = result;
    return ok(200, { json: { coupon_name: name, ended_count: count, remaining_amount: remaining }, seq });
  },
});

export const releaseHold = route({
  id: "releaseHold",
  tag: "holds",
  method: "DELETE",
  path: "/api/coupons/{name}/holds/{user_id}",
  summary: "Release a hold",
  who: "user_or_operator",
  successes: { 204: { description: "The user holds nothing." } },
  refusals: ["claim_not_found"],
  async handle({ params: { name, user_id: userId } }, { worker, actor }) {
    // No retry: the user may have made another hold in between.
    const result = await callCoupon(worker.env, name, (coupon) => coupon.releaseHold(userId, actor), "once");
    return result.ok ? ok(204, { seq: result.seq }) : result;
  },
});
