// The routes of delivery: how far each sink has got, and how to write the read model again.

import type { SinkLag } from "../../domain/delivery.ts";
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { callCourier } from "../../edge/courier-calls.ts";
import { failingSinks } from "../../read-model/failing-sinks.ts";
import { fromDatabase } from "../database.ts";
import { DeliveryAnswer, FailingAnswer } from "../delivery-schemas.ts";
import { JSON_TYPE } from "../media-types.ts";
import * as wire from "../../wire.ts";
import { queryInteger } from "../request-schemas.ts";
import { ok, route } from "../route.ts";

export const getDelivery = route({
  id: "getDelivery",
  tag: "delivery",
  method: "GET",
  path: "/api/coupons/{name}/delivery",
  summary: "Get how far the delivery of a coupon's events has got",
  description:
    "One entry for the read model (`d1`), one for the backups (`r2`) where a bucket is bound, and one for each webhook endpoint that receives this coupon's events. After a deletion it shows what is still to be delivered.",
  who: "operator",
  successes: { 200: { description: "The sinks.", content: { [JSON_TYPE]: DeliveryAnswer } } },
  refusals: [],
  async handle({ params: { name } }, { worker: { env } }) {
    const state = await callCourier(env, name, (courier) => courier.state(), "read");
    if (!state.ok) return state;
    const { value: sinks } = state;
    if (sinks === null) return { ok: false, code: "unavailable", cause: "the courier can't read the coupon" };
    const coupon = await callCoupon(env, name, (object) => object.read({ claimedBy: false }), "read");
    if (!coupon.ok && (coupon.code !== "coupon_not_found" || sinks.every(isComplete))) return coupon;
    const head = coupon.ok ? coupon.seq : null;
    const now = Date.now();
    return ok(200, { json: { coupon_name: name, head_seq: head, sinks: sinks.map((sink) => wire.sink(sink, now)) } });
  },
});

export const listFailing = route({
  id: "listFailing",
  tag: "delivery",
  method: "GET",
  path: "/api/delivery/failing",
  summary: "List the sinks that fail now, of all coupons",
  description: "In the order of the coupons' names. A sink is listed from its first failed attempt until its next success.",
  who: "operator",
  query: { limit: queryInteger(1, PAGE_SIZE_MAX, "Most sinks in the answer.", PAGE_SIZE_DEFAULT) },
  successes: { 200: { description: "The sinks.", content: { [JSON_TYPE]: FailingAnswer } } },
  refusals: [],
  async handle({ query: { limit } }, { worker: { env } }) {
    const result = await fromDatabase(env, (db) => failingSinks(db, limit + 1));
    if (!result.ok) return result;
    const failing = result.value.slice(0, limit).map(wire.failingSink);
    return ok(200, { json: { failing, has_more: result.value.length > limit } });
  },
});

export const rebuildReadModel = route({
  id: "rebuildReadModel",
  tag: "delivery",
  method: "POST",
  path: "/api/coupons/{name}/delivery/rebuild",
  summary: "Write a coupon's rows of the read model again",
  description: "From the beginning of its ledger. GET …/delivery shows the progress as `lag_events` of `d1`. A repeated call begins again.",
  who: "operator",
  successes: { 202: { description: "It has begun." } },
  refusals: [],
  async handle({ params: { name } }, { worker: { env } }) {
    const coupon = await callCoupon(env, name, (object) => object.read({ claimedBy: false }), "read");
    if (!coupon.ok) return coupon;
    const begun = await callCourier(env, name, (courier) => courier.rebuild(), "repeatable");
    return begun.ok ? ok(202, { seq: coupon.seq }) : begun;
  },
});

function isComplete({ lagEvents }: SinkLag): boolean {
  return lagEvents === 0;
}
