// Coupons: what is on offer.

import type { Change } from "../../domain/change.ts";
import { etagOf } from "../../domain/etag.ts";
import { EXPORT_PAGE_SIZE, OPERATOR_BODY_BYTES_MAX } from "../../domain/limits.ts";
import type { Found } from "../../domain/rpc.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { snapshot } from "../../edge/snapshots.ts";
import { answer, answerWith, refuse, refuseAs } from "../answers.ts";
import { parseBody } from "../body.ts";
import { couponWithClaimants, exportStream } from "../claim-export.ts";
import { workerOf, type Context } from "../context.ts";
import { couponNameIn } from "../path.ts";
import { note } from "../request-log.ts";
import { isCalledByOperator, type Route } from "../route.ts";
import { ChangeCouponBody, CreateCouponBody } from "../schemas.ts";
import * as wire from "../wire.ts";

export const couponRoutes = [
  {
    method: "post",
    path: "/api/coupons",
    summary: "Create a coupon",
    description: "Never resets one that exists.",
    who: "operator",
    body: "CreateCoupon",
    answers: [{ status: 201, description: "Created; Location names it.", schema: "Coupon", headers: ["Location", "ETag"] }],
    refusals: ["coupon_exists", "outcome_unknown"],
    handle: create,
  },
  {
    method: "get",
    path: "/api/coupons/{name}",
    summary: "Look at a coupon",
    description: "For everybody but the operator it may be a second old.",
    who: "everybody",
    answers: [
      { status: 200, description: "The coupon; who claimed it is shown to the operator only.", schema: "Coupon", headers: ["ETag"] },
    ],
    refusals: ["coupon_not_found"],
    handle: look,
  },
  {
    method: "patch",
    path: "/api/coupons/{name}",
    summary: "Change a coupon",
    description:
      "Every field is absolute, so that a repeated call changes nothing. While the sale is closed a change may take up to about a second: when it is answered, no isolate refuses by what was true before.",
    who: "operator",
    headers: ["If-Match"],
    body: "ChangeCoupon",
    answers: [{ status: 200, description: "The coupon as it is now.", schema: "Coupon", headers: ["ETag"] }],
    refusals: ["coupon_not_found", "amount_below_claimed", "precondition_failed", "outcome_unknown"],
    handle: change,
  },
  {
    method: "delete",
    path: "/api/coupons/{name}",
    summary: "Delete a coupon",
    description: "Removes all of it, claims and ledger too. The name can be created again.",
    who: "operator",
    answers: [{ status: 204, description: "It is gone." }],
    refusals: ["coupon_not_found", "outcome_unknown"],
    handle: remove,
  },
] as const satisfies readonly Route[];

async function create(c: Context): Promise<Response> {
  const body = await parseBody(c, CreateCouponBody, OPERATOR_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const { name, amount, starts_at: startsAt, ends_at: endsAt, hold_seconds_max: holdSecondsMax, holds_max: holdsMax } = body;
  const asked = { name, amount, startsAt, endsAt, holdSecondsMax, holdsMax };
  note(c, name);

  const result = await callCoupon(c.env, name, (coupon) => coupon.create(asked), "once");

  if (!result.ok) return refuseAs(c, name, result);
  const asCreated = { ...result, coupon: { ...result.coupon, claimedBy: [] } };
  return shown(c, 201, asCreated, { Location: `/api/coupons/${encodeURIComponent(name)}` });
}

async function look(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);
  const claimedBy = await isCalledByOperator(c);

  // The public view is this isolate's; the operator's is the object's own.
  const result = await (claimedBy ? callCoupon(c.env, name, (coupon) => coupon.read({ claimedBy }), "read") : snapshot(workerOf(c), name));

  if (!result.ok) return refuseAs(c, name, result);
  const isWhole = !claimedBy || result.coupon.claimedBy !== undefined;
  return isWhole ? shown(c, 200, result) : streamed(c, name, result);
}

/** A coupon with more claimants than its object lists in one answer. */
async function streamed(c: Context, name: string, found: Found): Promise<Response> {
  const from = { position: 0, seq: 0, epoch: found.coupon.epoch };
  const first = await callCoupon(c.env, name, (coupon) => coupon.listClaims(from, EXPORT_PAGE_SIZE), "read");
  if (!first.ok) return refuseAs(c, name, first);
  const body = exportStream(c.env, name, first, couponWithClaimants(wire.coupon(found.coupon)));
  return answerWith(c, 200, body, { "Content-Type": "application/json", ETag: etagOf(found.coupon, found.now) }, found.seq);
}

async function change(c: Context): Promise<Response> {
  const body = await parseBody(c, ChangeCouponBody, OPERATOR_BODY_BYTES_MAX);
  if (body instanceof Response) return body;
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);
  const ifMatch = c.req.raw.headers.get("if-match");

  // With If-Match a second delivery would find the tag changed by the first.
  const effect = ifMatch === null ? "repeatable" : "once";
  const result = await callCoupon(c.env, name, (coupon) => coupon.change(changeIn(body), ifMatch), effect);

  if (result.ok) return shown(c, 200, result);
  if (result.code !== "invalid_request") return refuseAs(c, name, result);
  const fields = { ends_at: "is invalid" };
  return refuse(c, "invalid_request", { error: "invalid request: ends_at is invalid", details: { fields } }, result.seq);
}

async function remove(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);

  const result = await callCoupon(c.env, name, (coupon) => coupon.remove(), "once");

  return result.ok ? answerWith(c, 204, null, {}, result.seq) : refuseAs(c, name, result);
}

function shown(c: Context, status: number, found: Found, headers: Record<string, string> = {}): Response {
  return answer(c, status, wire.coupon(found.coupon), found.seq, { ETag: etagOf(found.coupon, found.now), ...headers });
}

function changeIn(body: ReturnType<typeof ChangeCouponBody.parse>): Change {
  const { amount, starts_at: startsAt, ends_at: endsAt, paused, hold_seconds_max: holdSecondsMax, holds_max: holdsMax } = body;
  const fields = Object.entries({ amount, startsAt, endsAt, paused, holdSecondsMax, holdsMax });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}
