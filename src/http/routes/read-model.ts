// The routes of lists across coupons, and of a coupon's timeline. They read the database, which the couriers fill.

import { SALE_STATES } from "../../domain/coupon.ts";
import { TIMELINE_BUCKETS_DEFAULT, TIMELINE_BUCKETS_MAX } from "../../domain/delivery-limits.ts";
import { EXPORT_PAGE_SIZE, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../../domain/limits.ts";
import { snapshot } from "../../edge/snapshots.ts";
import {
  listCoupons as couponsIn,
  listWallet,
  readFreshness,
  readTimeline,
  reportPage,
  type ReportedClaim,
} from "../../read-model/queries.ts";
import * as answers from "../answer-schemas.ts";
import { csvText, pagedStream } from "../claim-export.ts";
import { fromDatabase } from "../database.ts";
import { CSV_TYPE, JSON_TYPE } from "../media-types.ts";
import * as wire from "../../wire.ts";
import * as requests from "../request-schemas.ts";
import { ok, route } from "../route.ts";

const limit = requests.queryInteger(1, PAGE_SIZE_MAX, "Rows on a page.", PAGE_SIZE_DEFAULT);

export const listCoupons = route({
  id: "listCoupons",
  tag: "coupons",
  method: "GET",
  path: "/api/coupons",
  summary: "List the coupons",
  description:
    "In the order of their names, without deleted ones. Counters are as of each coupon's `as_of`, states are of now. A page with a filter can have fewer coupons than `limit`, or none, and not be the last one: follow `next_after` until it is null.",
  who: "operator",
  query: {
    state: requests.queryChoice(SALE_STATES, "Only coupons in this state."),
    q: requests.queryText("Only coupons whose name has this text, in any case."),
    after: requests.queryText("The page begins behind this name."),
    limit,
  },
  successes: { 200: { description: "A page.", content: { [JSON_TYPE]: answers.CouponsAnswer } } },
  refusals: [],
  async handle({ query: { state, q: text, after, limit: max } }, { worker: { env } }) {
    const result = await fromDatabase(env, async (db) => {
      const asOf = await readFreshness(db);
      return { asOf, ...(await couponsIn(db, { state, text }, after, max, Date.now())) };
    });
    if (!result.ok) return result;
    const { coupons, next, asOf } = result.value;
    return ok(200, { json: { coupons: coupons.map(wire.listedCoupon), next_after: next, as_of: wire.instantOrNull(asOf) } });
  },
});

export const getTimeline = route({
  id: "getTimeline",
  tag: "coupons",
  method: "GET",
  path: "/api/coupons/{name}/timeline",
  summary: "Get how a sale went over time",
  description:
    "Counts of granted and revoked claims in buckets of equal length, from the first claim to the last. A bucket is a whole number of seconds. The last one also counts later revokes. The list is empty before the first claim.",
  who: "operator",
  query: { points: requests.queryInteger(1, TIMELINE_BUCKETS_MAX, "Most buckets.", TIMELINE_BUCKETS_DEFAULT) },
  successes: { 200: { description: "The buckets.", content: { [JSON_TYPE]: answers.TimelineAnswer } } },
  refusals: [],
  async handle({ params: { name }, query: { points } }, { worker }) {
    const found = await snapshot(worker, name);
    if (!found.ok) return found;
    const result = await fromDatabase(worker.env, async (db) => {
      const asOf = await readFreshness(db);
      return { asOf, ...(await readTimeline(db, found.coupon.epoch, points)) };
    });
    if (!result.ok) return result;
    const { buckets, bucketSeconds, asOf } = result.value;
    const counts = { bucket_seconds: bucketSeconds, buckets: buckets.map(wire.timelineBucket) };
    return ok(200, { json: { coupon_name: name, ...counts, as_of: wire.instantOrNull(asOf) } });
  },
});

export const listUserClaims = route({
  id: "listUserClaims",
  tag: "claims",
  method: "GET",
  path: "/api/users/{user_id}/claims",
  summary: "List a user's claims of all coupons",
  description:
    "The newest first, each with the state of its sale. Revoked claims and those of deleted coupons are left out. A claim is here once its courier has delivered it, mostly within two seconds: see `as_of`.",
  who: "user_or_operator",
  query: { after: requests.QueryWalletCursor, limit },
  successes: { 200: { description: "A page.", content: { [JSON_TYPE]: answers.WalletAnswer } } },
  refusals: ["claim_not_found"],
  async handle({ params: { user_id: userId }, query: { after, limit: max } }, { worker: { env } }) {
    const result = await fromDatabase(env, async (db) => {
      const asOf = await readFreshness(db);
      return { asOf, ...(await listWallet(db, userId, after, max, Date.now())) };
    });
    if (!result.ok) return result;
    const { claims, next, asOf } = result.value;
    const rows = claims.map((claim) => wire.walletClaim(userId, claim));
    const nextAfter = next === null ? null : `${next.claimedAt}.${next.position}.${next.epoch}`;
    return ok(200, { json: { claims: rows, next_after: nextAfter, as_of: wire.instantOrNull(asOf) } });
  },
});

export const exportReport = route({
  id: "exportReport",
  tag: "claims",
  method: "GET",
  path: "/api/reports/claims.csv",
  summary: "Export the claims of all coupons",
  description:
    "CSV for spreadsheets, coupon by coupon, in claim order. `released_at` is set for a revoked claim. The claims of deleted coupons are left out.",
  who: "operator",
  query: {
    from: requests.queryInstant("Claims from this instant on.", 0),
    to: requests.queryInstant("Claims before this instant.", Number.MAX_SAFE_INTEGER),
  },
  successes: {
    200: { description: "A stream.", content: { [CSV_TYPE]: answers.TextAnswer }, headers: ["As-Of", "Content-Disposition"] },
  },
  refusals: [],
  async handle({ query: { from, to } }, { worker: { env }, isHead, logBreak }) {
    const page = (last?: ReportedClaim) => fromDatabase(env, (db) => reportPage(db, from, to, last));
    const fresh = await fromDatabase(env, readFreshness);
    if (!fresh.ok) return fresh;
    const first = await page();
    if (!first.ok) return first;
    const nextOf = async (rows: readonly ReportedClaim[]) => {
      if (rows.length < EXPORT_PAGE_SIZE) return null;
      const next = await page(rows.at(-1));
      if (!next.ok) throw new Error(`the export ended early: ${String(next.cause)}`);
      return next.value;
    };
    const header = "coupon_name,user_id,position,claimed_at,released_at";
    const textOf = (rows: readonly ReportedClaim[], isFirst: boolean): string => csvText(rows.map(wire.reportedClaim), isFirst && header);
    return ok(200, {
      contentType: `${CSV_TYPE}; charset=utf-8; header=present`,
      // The body of a HEAD is never read or cancelled, so it must not begin a stream.
      text: isHead ? null : pagedStream(first.value, textOf, nextOf, (cause) => logBreak("export_failed", cause)),
      headers: { "As-Of": wire.instantOrNull(fresh.value) ?? "none", "Content-Disposition": 'attachment; filename="claims.csv"' },
    });
  },
});
