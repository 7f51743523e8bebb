// Claims of a coupon.

import { CLAIM_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { answer, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import { idempotencyKeyIn } from "../headers.ts";
import type { Context } from "../context.ts";
import type { Route } from "../route.ts";
import { ClaimBody } from "../schemas.ts";
import { receipt } from "../wire.ts";

export const claimRoutes = [
  {
    method: "post",
    path: "/api/coupons/claim",
    summary: "Claim one unit of a coupon",
    description:
      "A retry with the same Idempotency-Key answers the original receipt again. A user who already has a claim is told so, whatever became of the sale.",
    who: "everybody",
    headers: ["Idempotency-Key"],
    body: "ClaimRequest",
    answers: {
      status: 201,
      description: "The caller has a unit; with Idempotent-Replayed: true, it had it already.",
      schema: "GrantedClaim",
      headers: ["Idempotent-Replayed"],
    },
    refusals: [
      "invalid_request",
      "payload_too_large",
      "coupon_not_found",
      "idempotency_key_reused",
      "already_claimed",
      "sale_ended",
      "sale_not_started",
      "sale_paused",
      "out_of_stock",
      "unavailable",
      "outcome_unknown",
    ],
    handle: claim,
  },
] as const satisfies readonly Route[];

async function claim(c: Context): Promise<Response> {
  const body = await parseBody(c, ClaimBody, CLAIM_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const key = idempotencyKeyIn(c.req.raw.headers);
  if (key === undefined) return refuse(c, "invalid_request", {}, "invalid request: Idempotency-Key is invalid");

  const { user_id: userId, coupon_name: name } = body;
  const request = { userId, key, attemptId: c.get("attemptId") };
  const result = await callCoupon(c.env.COUPONS, name, (coupon) => coupon.claim(request), "repeatable");

  if (!result.ok) return refuseAs(c, name, result);
  const granted = { ...receipt(name, result.claim), remaining_amount: result.claim.remainingAfter };
  return answer(c, 201, granted, result.seq, result.replayed && key !== null ? { "Idempotent-Replayed": "true" } : {});
}
