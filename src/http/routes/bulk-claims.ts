// Bulk claims: a trusted back end, a lottery or a waiting room, claims for many users at once.

import { OPERATOR_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { answer, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import type { Context } from "../context.ts";
import { idempotencyKeyIn } from "../headers.ts";
import { couponNameIn } from "../path.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";
import { BulkClaimBody } from "../schemas.ts";
import * as wire from "../wire.ts";

export const bulkClaimRoutes = [
  {
    method: "post",
    path: "/api/coupons/{name}/claims",
    summary: "Claim for many users at once",
    description:
      "Judged in the order of the list, each as a claim of its own, in one transaction: all of it is stored or nothing. Sent again with the same Idempotency-Key, it answers `replayed` with the same claim wherever it had answered `granted`. A user who is named twice has one claim. The key names the attempt of each user, not the list: with another list, new users are claimed for. With a key, `replayed` can also mean that the first delivery of this very request did it, so count both.",
    who: "operator",
    headers: ["Idempotency-Key"],
    body: "BulkClaimRequest",
    answers: [{ status: 200, description: "One outcome for each user, in the order of the list.", schema: "BulkClaim" }],
    refusals: ["coupon_not_found", "outcome_unknown"],
    handle: claimMany,
  },
] as const satisfies readonly Route[];

async function claimMany(c: Context): Promise<Response> {
  const body = await parseBody(c, BulkClaimBody, OPERATOR_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  const key = idempotencyKeyIn(c.req.raw.headers);
  if (key === undefined) return refuse(c, "invalid_request", { error: "invalid request: Idempotency-Key is invalid" });
  const userIds = body.user_ids;
  note(c, name);

  // A key names the attempt of every user in the list. It is kept where attempt ids are, none of which contains a space, so that
  // it costs no row and meets no key of a single claim.
  const attemptId = key === null ? c.get("request").attemptId : `bulk ${key}`;
  const result = await callCoupon(c.env, name, (coupon) => coupon.claimMany(userIds, attemptId), "repeatable");

  if (!result.ok) return refuseAs(c, name, result);
  const told = new Set<number>();
  const outcomes = result.results.map((ofUser, index) => {
    // Not a replay where the Worker's own retry found what its first attempt had done, but for a user who is named twice.
    const isFirst = ofUser.ok && ofUser.claim.attemptId === c.get("request").attemptId && !told.has(ofUser.claim.position);
    if (ofUser.ok) told.add(ofUser.claim.position);
    return wire.bulkOutcome(userIds[index] ?? "", isFirst ? { ...ofUser, replayed: false } : ofUser);
  });
  const grantedCount = outcomes.filter(({ outcome }) => outcome === "granted").length;
  return answer(
    c,
    200,
    { coupon_name: name, granted_count: grantedCount, remaining_amount: result.remaining, results: outcomes },
    result.seq,
  );
}
