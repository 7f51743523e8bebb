// Claims: asking for a unit, looking at one's own, and taking one back.

import { CLAIM_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { judged } from "../../edge/certificates.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";

import { answer, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import { refuseStranger, refuseStrangerOrOperator, refuseTooMany } from "../caller.ts";
import { workerOf, type Context } from "../context.ts";
import { idempotencyKeyIn } from "../headers.ts";
import { couponAndUserIn } from "../path.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";
import { ClaimBody } from "../schemas.ts";
import * as wire from "../wire.ts";

export const claimRoutes = [
  {
    method: "post",
    path: "/api/coupons/claim",
    summary: "Claim one unit of a coupon",
    description:
      "A retry with the same Idempotency-Key answers the original receipt again. A user who already has a claim is told so, whatever became of the sale. A hold of the user becomes the claim.",
    who: "user",
    headers: ["Idempotency-Key"],
    body: "ClaimRequest",
    answers: [
      {
        status: 201,
        description: "The caller has a unit; with Idempotent-Replayed: true, it had it already.",
        schema: "GrantedClaim",
        headers: ["Idempotent-Replayed"],
      },
    ],
    refusals: [
      "rate_limited",
      "coupon_not_found",
      "idempotency_key_reused",
      "already_claimed",
      "claim_released",
      "sale_ended",
      "sale_not_started",
      "sale_paused",
      "out_of_stock",
      "outcome_unknown",
    ],
    handle: claim,
  },
  {
    method: "get",
    path: "/api/coupons/{name}/claims/{user_id}",
    summary: "Look at one user's claim or hold",
    who: "user",
    answers: [{ status: 200, description: "The receipt, or the hold that runs.", schema: "Own" }],
    refusals: ["coupon_not_found", "claim_not_found"],
    handle: lookAtOwn,
  },
  {
    method: "delete",
    path: "/api/coupons/{name}/claims/{user_id}",
    summary: "Release a claim",
    description: "The unit returns to the stock exactly once, and the user may claim again. A second call changes nothing.",
    who: "operator",
    query: { position: { type: "integer", minimum: 1, description: "Release this claim, and no later one of the same user." } },
    answers: [{ status: 200, description: "It is released.", schema: "Release" }],
    refusals: ["invalid_request", "coupon_not_found", "claim_not_found", "position_mismatch", "outcome_unknown"],
    handle: release,
  },
] as const satisfies readonly Route[];

async function claim(c: Context): Promise<Response> {
  const body = await parseBody(c, ClaimBody, CLAIM_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const key = idempotencyKeyIn(c.req.raw.headers);
  if (key === undefined) return refuse(c, "invalid_request", { error: "invalid request: Idempotency-Key is invalid" });
  const { user_id: userId, coupon_name: name } = body;
  note(c, name, userId);
  const refusal = (await refuseStranger(c, userId)) ?? (await refuseTooMany(c, name, userId));
  if (refusal !== null) return refusal;

  const request = { userId, key, attemptId: c.get("request").attemptId };
  const result = await judged(workerOf(c), name, { userId, key }, (coupon) => coupon.claim(request), true);

  if (!result.ok) return refuseAs(c, name, result);
  const granted = { ...wire.receipt(name, result.claim), remaining_amount: result.claim.remainingAfter };
  // Not where the Worker's own retry found what its first attempt had done: to the caller that is the first answer.
  const isReplay = result.replayed && result.claim.attemptId !== request.attemptId;
  return answer(c, 201, granted, result.seq, isReplay ? { "Idempotent-Replayed": "true" } : {});
}

async function lookAtOwn(c: Context): Promise<Response> {
  const path = couponAndUserIn(c);
  if (path instanceof Response) return path;
  const { name, userId } = path;
  const refusal = await refuseStrangerOrOperator(c, userId);
  if (refusal !== null) return refusal;

  const result = await callCoupon(c.env, name, (coupon) => coupon.getUserClaim(userId), "read");

  if (!result.ok) return refuseAs(c, name, result);
  return answer(c, 200, "claim" in result ? wire.receipt(name, result.claim) : wire.hold(name, result.hold), result.seq);
}

async function release(c: Context): Promise<Response> {
  const path = couponAndUserIn(c);
  if (path instanceof Response) return path;
  const { name, userId } = path;
  const asked = c.req.query("position");
  if (asked !== undefined && !/^[1-9]\d{0,15}$/.test(asked))
    return refuse(c, "invalid_request", { error: "invalid request: position is invalid" });
  const position = asked === undefined ? null : Number(asked);

  // Without a position, a second delivery could take back a claim that the user made in between.
  const effect = position === null ? "once" : "repeatable";
  const result = await callCoupon(c.env, name, (coupon) => coupon.revoke({ userId, position }), effect);

  if (!result.ok) return refuseAs(c, name, result);
  return answer(c, 200, { ...wire.revokedClaim(name, result.revoked), remaining_amount: result.remaining }, result.seq);
}
