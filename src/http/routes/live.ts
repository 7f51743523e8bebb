// The public routes of a sale's state: a snapshot to poll, and a stream of snapshots.

import { etagOf } from "../../domain/etag.ts";
import { knownState } from "../../edge/known-states.ts";
import { snapshot } from "../../edge/snapshots.ts";
import { eventStream, RECONNECT } from "../event-stream.ts";
import { EVENTS_TYPE, JSON_TYPE } from "../media-types.ts";
import * as wire from "../../wire.ts";
import { ok, route } from "../route.ts";
import { StatusAnswer } from "../answer-schemas.ts";

export const getStatus = route({
  id: "getStatus",
  tag: "live",
  method: "GET",
  path: "/api/coupons/{name}/status",
  summary: "Get the state of the sale",
  who: "everybody",
  isConditional: true,
  successes: {
    200: { description: "May be cached for a second.", content: { [JSON_TYPE]: StatusAnswer }, headers: ["ETag", "Server-Time"] },
  },
  refusals: [],
  async handle({ params: { name } }, { worker }) {
    const result = await snapshot(worker, name);
    if (!result.ok) return result;
    // The tag is weak, because server_time can change while the coupon does not (RFC 9110, 8.8.1).
    const etag = `W/${etagOf(result.coupon, result.now)}`;
    const json = wire.status(result, Math.max(Date.now(), result.now));
    // After 304 a cache shows its old body with an old server_time. The header has the current one (RFC 9111,
    // 4.3.4).
    const headers = { "Server-Time": json.server_time };
    return ok(200, { json, seq: result.seq, etag, cacheControl: "public, max-age=1, no-transform", headers });
  },
});

export const watchCoupon = route({
  id: "watchCoupon",
  tag: "live",
  method: "GET",
  path: "/api/coupons/{name}/events",
  summary: "Watch the state of the sale",
  description:
    "Server-Sent Events. A message is the snapshot of /status: one comes at once, then one after each change, at most one a second. A change of the state is an event `state` of its own before it, the end of the coupon an event `deleted`. A stream ends now and then, and at once while the coupon can't answer: an EventSource reconnects by itself. The id is the snapshot's seq.",
  who: "everybody",
  requestHeaders: ["Last-Event-ID"],
  successes: { 200: { description: "A stream.", content: { [EVENTS_TYPE]: StatusAnswer } } },
  refusals: [],
  async handle({ params: { name } }, { worker, headers, isHead }) {
    // A viewer that reconnects gets nothing older than the message that Last-Event-ID names.
    const lastSeq = Number(headers.get("last-event-id") ?? 0) || 0;
    const lastState = knownState(name, lastSeq);
    const result = await snapshot(worker, name, lastSeq);
    const stream = { ok: true, status: 200, contentType: `${EVENTS_TYPE}; charset=utf-8`, headers: { "X-Accel-Buffering": "no" } } as const;
    if (!result.ok && result.code === "unavailable") return { ...stream, text: RECONNECT, hidden: result };
    if (!result.ok) return result;
    // A HEAD must not begin a stream, because its body is never read or cancelled.
    return { ...stream, text: isHead ? null : eventStream(worker, name, result, lastState ?? result.coupon.state), seq: result.seq };
  },
});
