// Who has claimed: pages for people, streams for machines.

import { accepts } from "hono/accepts";

import { EXPORT_PAGE_SIZE, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { answer, answerWith, refuse, refuseAs } from "../answers.ts";
import { csv, exportStream, ndjson } from "../claim-export.ts";
import type { Context } from "../context.ts";
import { couponNameIn } from "../path.ts";
import { integerIn } from "../query.ts";
import { note } from "../request-log.ts";
import type { Route } from "../route.ts";
import * as wire from "../wire.ts";

const EXPORTS = {
  "text/csv": { write: csv, contentType: "text/csv; charset=utf-8; header=present" },
  "application/x-ndjson": { write: ndjson, contentType: "application/x-ndjson" },
} as const;

export const claimListRoutes = [
  {
    method: "get",
    path: "/api/coupons/{name}/claims",
    summary: "List the claims",
    description:
      "In the order of their positions. With Accept: text/csv or application/x-ndjson, all of them from `after` on, as a stream. CSV puts an apostrophe before what a spreadsheet would run as a formula; NDJSON has the ids exactly as given.",
    who: "operator",
    query: {
      after: { type: "integer", minimum: 0, default: 0, description: "The position behind which the page begins." },
      limit: { type: "integer", minimum: 1, maximum: PAGE_SIZE_MAX, default: PAGE_SIZE_DEFAULT },
    },
    answers: [
      {
        status: 200,
        description: "A page, or the stream.",
        schema: "Claims",
        mediaTypes: ["application/json", "text/csv", "application/x-ndjson"],
      },
    ],
    refusals: ["invalid_request", "coupon_not_found"],
    handle: list,
  },
] as const satisfies readonly Route[];

async function list(c: Context): Promise<Response> {
  const name = couponNameIn(c);
  if (name === null) return refuse(c, "coupon_not_found");
  note(c, name);
  const after = integerIn(c.req.query("after") ?? "0", 0, Number.MAX_SAFE_INTEGER);
  if (after === null) return refuse(c, "invalid_request", { error: "invalid request: after is invalid" });
  const limit = integerIn(c.req.query("limit") ?? String(PAGE_SIZE_DEFAULT), 1, PAGE_SIZE_MAX);
  if (limit === null) return refuse(c, "invalid_request", { error: "invalid request: limit is invalid" });

  const format = exportFormat(c);
  const from = { position: after, seq: 0, epoch: null };
  const pageSize = format === null ? limit : EXPORT_PAGE_SIZE;
  const result = await callCoupon(c.env, name, (coupon) => coupon.listClaims(from, pageSize), "read");

  if (!result.ok) return refuseAs(c, name, result);
  if (format !== null) {
    const body = exportStream(c.env, name, result, format.write(name));
    return answerWith(c, 200, body, { "Content-Type": format.contentType }, result.seq);
  }
  const claims = result.claims.map((claim) => wire.receipt(name, claim));
  return answer(c, 200, { claims, next: result.next?.position ?? null }, result.seq);
}

/** The export format that the caller would rather have than JSON, or null. */
function exportFormat(c: Context): (typeof EXPORTS)[keyof typeof EXPORTS] | null {
  const supports = ["application/json", "text/csv", "application/x-ndjson"];
  const wanted = accepts(c, { header: "Accept", supports, default: "application/json" });
  return wanted === "text/csv" || wanted === "application/x-ndjson" ? EXPORTS[wanted] : null;
}
