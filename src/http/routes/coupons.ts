// The routes of coupons: create, get, change, archive and delete, and their history.

import { unnamed } from "../../domain/coupon.ts";
import { etagOf, readStatusOf, type Precondition } from "../../domain/etag.ts";
import { OPERATOR_BODY_BYTES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../../domain/limits.ts";
import type { Found } from "../../domain/rpc.ts";
import { callCoupon, type CallEffect } from "../../edge/coupon-calls.ts";
import { snapshot } from "../../edge/snapshots.ts";
import { claimantStream } from "../claim-export.ts";
import { JSON_TYPE } from "../media-types.ts";
import { invalid } from "../refusals.ts";
import * as wire from "../../wire.ts";
import { ok, route } from "../route.ts";
import * as answers from "../answer-schemas.ts";
import * as requests from "../request-schemas.ts";

const COUPON = { [JSON_TYPE]: answers.CouponAnswer } as const;

export const createCoupon = route({
  id: "createCoupon",
  tag: "coupons",
  method: "POST",
  path: "/api/coupons",
  summary: "Create a coupon",
  description:
    "Never resets a coupon that exists. With the same Idempotency-Key and body it returns the coupon again, as it is now and without claimed_by.",
  who: "operator",
  takesIdempotencyKey: true,
  body: { schema: requests.CreateCouponBody, bytesMax: OPERATOR_BODY_BYTES_MAX },
  successes: {
    201: {
      description: "Created; Location names it. With Idempotent-Replayed: true, an earlier request with this key created it.",
      content: COUPON,
      headers: ["Location", "ETag", "Idempotent-Replayed"],
    },
  },
  refusals: ["coupon_exists", "idempotency_key_reused"],
  async handle({ body, key }, { worker, actor }) {
    const { name } = body;
    const coupon = { name, ...unnamed(body) };
    const result = await callCoupon(worker.env, name, (object) => object.create(coupon, key, actor), "once");
    if (!result.ok) return result;
    const location = { Location: `/api/coupons/${encodeURIComponent(name)}` };
    if (result.replayed) return ok(201, { ...couponAnswer(result), headers: { ...location, "Idempotent-Replayed": "true" } });
    return ok(201, { ...couponAnswer({ ...result, coupon: { ...result.coupon, claimedBy: [] } }), headers: location });
  },
});

export const getCoupon = route({
  id: "getCoupon",
  tag: "coupons",
  method: "GET",
  path: "/api/coupons/{name}",
  summary: "Get a coupon",
  description: "For everybody but the operator it may be a second old.",
  who: "everybody",
  isConditional: true,
  query: { claimed_by: requests.queryChoice(["omit"], "`omit` leaves out claimed_by, which can be very long.") },
  successes: { 200: { description: "The coupon; claimed_by is for the operator alone.", content: COUPON, headers: ["ETag"] } },
  refusals: [],
  async handle({ params: { name }, query, precondition }, { worker, isOperator, isHead, logBreak }) {
    const isCurrent = await isOperator();
    const claimedBy = isCurrent && query.claimed_by === null;
    const result = await (isCurrent
      ? callCoupon(worker.env, name, (coupon) => coupon.read({ claimedBy }), "read")
      : snapshot(worker, name));
    if (!result.ok) return result;
    if (!claimedBy || result.coupon.claimedBy !== undefined) return ok(200, couponAnswer(result));

    // There are more claimants than the object lists in one answer. A body that is not sent must not begin a
    // stream, because it is never read or cancelled.
    const { json, ...rest } = { ...couponAnswer(result), etag: etagOf(result.coupon, result.now, "claimants") };
    if (isHead || readStatusOf(precondition, rest.etag) !== 200) return ok(200, { ...rest, contentType: JSON_TYPE, text: null });
    const text = await claimantStream(worker.env, name, result, json, (cause) => logBreak("export_failed", cause));
    if (!(text instanceof ReadableStream)) return text;
    return ok(200, { ...rest, contentType: JSON_TYPE, text });
  },
});

export const changeCoupon = route({
  id: "changeCoupon",
  tag: "coupons",
  method: "PATCH",
  path: "/api/coupons/{name}",
  summary: "Change a coupon",
  description:
    "Every field is absolute, so that a repeated call changes nothing. While the sale is closed a change may take up to about a second: once it is answered, no isolate refuses by the state before.",
  who: "operator",
  isConditional: true,
  body: { schema: requests.ChangeCouponBody, bytesMax: OPERATOR_BODY_BYTES_MAX },
  successes: { 200: { description: "The coupon as it is now.", content: COUPON, headers: ["ETag"] } },
  refusals: ["coupon_archived", "amount_below_claimed", "precondition_failed"],
  async handle({ params: { name }, body, precondition }, { worker, actor }) {
    const effect = effectWith(precondition);
    const result = await callCoupon(worker.env, name, (coupon) => coupon.change(unnamed(body), precondition, actor), effect);
    if (result.ok) return ok(200, couponAnswer(result));
    if (result.code !== "invalid_request") return result;
    const refusal = body.ends_at === undefined ? invalid("starts_at", "must be before ends_at") : invalid("ends_at", requests.END_WANTED);
    return { ...refusal, seq: result.seq };
  },
});

export const archiveCoupon = route({
  id: "archiveCoupon",
  tag: "coupons",
  method: "POST",
  path: "/api/coupons/{name}/archive",
  summary: "Archive a coupon",
  description:
    "Closes the sale for good, ends all holds, and keeps everything readable. Claims can still be revoked, and their units are not sold again. A repeated call changes nothing. While the sale is closed it may take up to about a second.",
  who: "operator",
  isConditional: true,
  successes: { 200: { description: "The archived coupon.", content: COUPON, headers: ["ETag"] } },
  refusals: ["precondition_failed"],
  async handle({ params: { name }, precondition }, { worker, actor }) {
    const effect = effectWith(precondition);
    const result = await callCoupon(worker.env, name, (coupon) => coupon.archive(precondition, actor), effect);
    return result.ok ? ok(200, couponAnswer(result)) : result;
  },
});

export const getHistory = route({
  id: "getHistory",
  tag: "coupons",
  method: "GET",
  path: "/api/coupons/{name}/history",
  summary: "List what happened to a coupon",
  description: "The events of its ledger, in their order, each with the operator who caused it.",
  who: "operator",
  query: {
    after: requests.queryInteger(0, Number.MAX_SAFE_INTEGER, "The page begins behind this seq.", 0),
    limit: requests.queryInteger(1, PAGE_SIZE_MAX, "Events on a page.", PAGE_SIZE_DEFAULT),
  },
  successes: { 200: { description: "A page.", content: { [JSON_TYPE]: answers.HistoryAnswer } } },
  refusals: [],
  async handle({ params: { name }, query: { after, limit } }, { worker }) {
    const result = await callCoupon(worker.env, name, (coupon) => coupon.history(after, limit), "read");
    if (!result.ok) return result;
    const { events, next, seq } = result;
    return ok(200, { json: { events: events.map(wire.event), next_after: next }, seq });
  },
});

export const deleteCoupon = route({
  id: "deleteCoupon",
  tag: "coupons",
  method: "DELETE",
  path: "/api/coupons/{name}",
  summary: "Delete a coupon",
  description: "Removes all of it, claims and ledger too. The name can be created again. To close a sale, archive it instead.",
  who: "operator",
  isConditional: true,
  successes: { 204: { description: "It is gone." } },
  refusals: ["precondition_failed"],
  async handle({ params: { name }, precondition }, { worker, actor }) {
    const result = await callCoupon(worker.env, name, (coupon) => coupon.remove(precondition, actor), "once");
    return result.ok ? ok(204, { seq: result.seq }) : result;
  },
});

/** With a precondition, a second delivery would fail, because the first one has changed the tag. */
function effectWith(precondition: Precondition | null): CallEffect {
  return precondition === null ? "repeatable" : "once";
}

function couponAnswer({ coupon, now, seq }: Found) {
  return { json: wire.coupon(coupon), seq, etag: etagOf(coupon, now, coupon.claimedBy === undefined ? "coupon" : "claimants") };
}
