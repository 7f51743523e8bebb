// The snapshot as it changes: Server-Sent Events (WHATWG HTML, 9.2), sent by the isolate, never by the object.

import { snapshot } from "../../edge/snapshots.ts";
import { answerWith, refuse, refuseAs } from "../answers.ts";
import { workerOf, type Context } from "../context.ts";
import { COME_BACK, eventStream } from "../event-stream.ts";
import { couponNameIn } from "../path.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";

export const eventRoutes = [
  {
    method: "get",
    path: "/api/coupons/{name}/events",
    summary: "How the sale stands, live",
    description:
      "A message is the snapshot of /status; one comes at once, then whenever something changed, at most one a second. A change of the state is an event `state` of its own before it, the end of the coupon an event `deleted`. A stream ends now and then, and at once while the coupon can't answer: an EventSource comes back by itself. The id is the snapshot's seq.",
    who: "everybody",
    headers: ["Last-Event-ID"],
    answers: [{ status: 200, description: "A stream.", mediaTypes: ["text/event-stream"] }],
    refusals: ["coupon_not_found"],
    handle: events,
  },
] as const satisfies readonly Route[];

async function events(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);

  // A viewer who comes back never sees anything older than what its Last-Event-ID names.
  const lastSeq = Number(c.req.raw.headers.get("last-event-id") ?? 0) || 0;
  const result = await snapshot(workerOf(c), name, lastSeq);

  const headers = { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" };
  if (!result.ok) {
    const refusal = refuseAs(c, name, result);
    return result.code === "unavailable" ? answerWith(c, 200, COME_BACK, headers) : refusal;
  }
  // A HEAD has no body to read or to cancel, so it must not begin a stream.
  if (c.req.method === "HEAD") return answerWith(c, 200, null, headers, result.seq);
  return answerWith(c, 200, eventStream(workerOf(c), name, result), headers, result.seq);
}
