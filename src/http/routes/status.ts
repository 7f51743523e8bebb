// The small snapshot that clients poll, cached for a second wherever there is a cache.

import { etagOf, isNoneMatched } from "../../domain/etag.ts";
import { snapshot } from "../../edge/snapshots.ts";
import { answer, answerWith, refuse, refuseAs } from "../answers.ts";
import { workerOf, type Context } from "../context.ts";
import { couponNameIn } from "../path.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";
import * as wire from "../wire.ts";

export const statusRoutes = [
  {
    method: "get",
    path: "/api/coupons/{name}/status",
    summary: "How the sale stands",
    who: "everybody",
    headers: ["If-None-Match"],
    answers: [
      { status: 200, description: "May be kept for a second.", schema: "Status", headers: ["ETag"] },
      { status: 304, description: "As the entity tag says.", headers: ["ETag"] },
    ],
    refusals: ["coupon_not_found"],
    handle: status,
  },
] as const satisfies readonly Route[];

async function status(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);

  const result = await snapshot(workerOf(c), name);

  if (!result.ok) return refuseAs(c, name, result);
  // Weak, because server_time differs where the coupon does not (RFC 9110, 8.8.1).
  const headers = { "Cache-Control": "public, max-age=1", ETag: `W/${etagOf(result.coupon, result.now)}` };
  const isKnown = isNoneMatched(c.req.raw.headers.get("if-none-match") ?? "", headers.ETag);
  return isKnown
    ? answerWith(c, 304, null, headers, result.seq)
    : answer(c, 200, wire.status(result, Math.max(Date.now(), result.now)), result.seq, headers);
}
