// The routes of claims: claim, claim for many users, get, list and revoke.

import * as limits from "../../domain/limits.ts";
import { callOrRefuse } from "../../edge/certificates.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import { CLOSED_CODES } from "../../domain/claim.ts";
import { attachment, csv, exportStream, ndjson, type Write } from "../claim-export.ts";
import { CSV_TYPE, JSON_TYPE, NDJSON_TYPE } from "../media-types.ts";
import * as wire from "../../wire.ts";
import { ok, route } from "../route.ts";
import * as answers from "../answer-schemas.ts";
import * as requests from "../request-schemas.ts";

export const claimCoupon = route({
  id: "claimCoupon",
  tag: "claims",
  method: "POST",
  path: "/api/coupons/claim",
  summary: "Claim one unit of a coupon",
  description:
    "A retry with the same Idempotency-Key returns the original receipt. A user who has a claim gets 409 with the receipt, whatever became of the sale. A hold of the user becomes the claim.",
  who: "user",
  isRateLimited: true,
  isClaim: true,
  needsChallenge: true,
  takesIdempotencyKey: true,
  body: { schema: requests.ClaimBody, bytesMax: limits.CLAIM_BODY_BYTES_MAX },
  successes: {
    201: {
      description: "The user has a unit. With Idempotent-Replayed: true, an earlier request with this key got it.",
      content: { [JSON_TYPE]: answers.ClaimAnswer },
      headers: ["Idempotent-Replayed"],
    },
  },
  refusals: ["already_claimed", "idempotency_key_reused", "claim_released", ...CLOSED_CODES],
  async handle({ body: { user_id: userId, coupon_name: name }, key }, { worker, attemptId }) {
    const request = { userId, key, attemptId };
    const result = await callOrRefuse(worker, name, request, (coupon) => coupon.claim(request), true);
    if (!result.ok) return result;
    const { claim, replayed, seq } = result;
    // The Worker's own retry can find the claim of its first attempt. To the caller this is the first answer.
    const isReplay = replayed && claim.attemptId !== attemptId;
    const json = { ...wire.receipt(name, claim), remaining_amount: claim.remainingAfter };
    return ok(201, { json, seq, ...(isReplay ? { headers: { "Idempotent-Replayed": "true" } } : {}) });
  },
});

export const getUserClaim = route({
  id: "getUserClaim",
  tag: "claims",
  method: "GET",
  path: "/api/coupons/{name}/claims/{user_id}",
  summary: "Get one user's claim or hold",
  who: "user_or_operator",
  successes: { 200: { description: "The receipt, or the running hold.", content: { [JSON_TYPE]: answers.UserClaimAnswer } } },
  refusals: ["claim_not_found"],
  async handle({ params: { name, user_id: userId } }, { worker }) {
    const result = await callCoupon(worker.env, name, (coupon) => coupon.getUserClaim(userId), "read");
    if (!result.ok) return result;
    const json = "claim" in result ? wire.receipt(name, result.claim) : wire.hold(name, result.hold);
    return ok(200, { json, seq: result.seq });
  },
});

export const revokeClaim = route({
  id: "revokeClaim",
  tag: "claims",
  method: "DELETE",
  path: "/api/coupons/{name}/claims/{user_id}",
  summary: "Revoke a claim",
  description:
    "The unit returns to the stock exactly once, and the user may claim again. A second call returns the same and changes nothing. While the sale is closed it may take up to about a second.",
  who: "operator",
  query: {
    position: requests.queryInteger(1, Number.MAX_SAFE_INTEGER, "Revoke this claim, and no later one of the same user."),
  },
  successes: { 200: { description: "The revoked claim.", content: { [JSON_TYPE]: answers.RevokedClaimAnswer } } },
  refusals: ["claim_not_found", "position_mismatch"],
  async handle({ params: { name, user_id: userId }, query: { position } }, { worker, actor }) {
    // Without a position, a second delivery could revoke a claim that the user made in between.
    const effect = position === null ? "once" : "repeatable";
    const result = await callCoupon(worker.env, name, (coupon) => coupon.revoke({ userId, position }, actor), effect);
    if (!result.ok) return result;
    const { revoked, remaining, seq } = result;
    return ok(200, { json: { ...wire.revokedClaim(name, revoked), remaining_amount: remaining }, seq });
  },
});

const FORMATS = ["csv", "ndjson", "json"] as const;
const TYPE_OF = { csv: CSV_TYPE, ndjson: NDJSON_TYPE, json: JSON_TYPE } as const satisfies Record<(typeof FORMATS)[number], string>;

export const listClaims = route({
  id: "listClaims",
  tag: "claims",
  method: "GET",
  path: "/api/coupons/{name}/claims",
  summary: "List the claims",
  description:
    "In the order of their positions. With Accept: text/csv or application/x-ndjson, all of them from `after` on, as a stream. `format` overrides Accept, for links in a browser. CSV is made for spreadsheets: an apostrophe stands before a text that would run as a formula. NDJSON has the ids exactly as given.",
  who: "operator",
  query: {
    after: requests.queryInteger(0, Number.MAX_SAFE_INTEGER, "The page begins behind this position.", 0),
    limit: requests.queryInteger(1, limits.PAGE_SIZE_MAX, "Claims on a page.", limits.PAGE_SIZE_DEFAULT),
    format: requests.queryChoice(FORMATS, "Overrides Accept."),
  },
  successes: {
    200: {
      description: "A page, or the stream.",
      content: { [JSON_TYPE]: answers.ClaimsAnswer, [CSV_TYPE]: answers.TextAnswer, [NDJSON_TYPE]: answers.ReceiptAnswer },
      headers: ["Content-Disposition"],
    },
  },
  refusals: [],
  async handle({ params: { name }, query: { after, limit, format }, mediaType: acceptedType }, { worker: { env }, isHead, logBreak }) {
    const mediaType = format === null ? acceptedType : TYPE_OF[format];
    const pageSize = mediaType === JSON_TYPE ? limit : limits.EXPORT_PAGE_SIZE;
    const from = { position: after, seq: 0, epoch: null };
    const result = await callCoupon(env, name, (coupon) => coupon.listClaims(from, pageSize), "read");
    if (!result.ok) return result;
    const { claims, next, seq } = result;
    // The body of a HEAD is never read or cancelled, so it must not begin a stream.
    const file = (write: Write, extension: "csv" | "ndjson") => ({
      text: isHead ? null : exportStream(env, name, result, write, (cause) => logBreak("export_failed", cause)),
      headers: { "Content-Disposition": attachment(name, extension) },
      seq,
    });
    if (mediaType === CSV_TYPE) return ok(200, { contentType: `${CSV_TYPE}; charset=utf-8; header=present`, ...file(csv(name), "csv") });
    if (mediaType === NDJSON_TYPE) return ok(200, { contentType: NDJSON_TYPE, ...file(ndjson(name), "ndjson") });
    return ok(200, { json: { claims: claims.map((claim) => wire.receipt(name, claim)), next: next?.position ?? null }, seq });
  },
});

export const claimForUsers = route({
  id: "claimForUsers",
  tag: "claims",
  method: "POST",
  path: "/api/coupons/{name}/claims",
  summary: "Claim for many users at once",
  description:
    "Judged in the order of the list, each as a claim of its own, in one transaction: all of it is stored or nothing. Sent again with the same Idempotency-Key, it returns `replayed` with the same claim wherever it had returned `granted`. A user who is named twice has one claim. The key names the attempt of each user, not the list: with another list, new users are claimed for. With a key, `replayed` can also mean that the first delivery of this very request did it, so count both.",
  who: "operator",
  takesIdempotencyKey: true,
  body: { schema: requests.BulkClaimBody, bytesMax: limits.OPERATOR_BODY_BYTES_MAX },
  successes: {
    200: { description: "One outcome for each user, in the order of the list.", content: { [JSON_TYPE]: answers.BulkClaimAnswer } },
  },
  refusals: [],
  async handle({ params: { name }, body: { user_ids: userIds }, key }, { worker, actor, attemptId: ownId }) {
    // A key is the attempt id of all users in the list, so it costs no row. No other attempt id has a space,
    // so this one is equal to none. It is never compared with the keys of single claims.
    const attemptId = key === null ? ownId : `bulk ${key}`;
    const result = await callCoupon(worker.env, name, (coupon) => coupon.claimMany(userIds, attemptId, actor), "repeatable");
    if (!result.ok) return result;
    const seen = new Set<number>();
    const results = result.results.map((part, index) => {
      // The Worker's own retry can find the claims of its first attempt, which are no replays. A user's
      // second part is one.
      const isFirst = part.ok && part.claim.attemptId === ownId && !seen.has(part.claim.position);
      if (part.ok) seen.add(part.claim.position);
      return wire.bulkOutcome(userIds[index] ?? "", isFirst ? { ...part, replayed: false } : part);
    });
    const grantedCount = results.filter(({ outcome }) => outcome === "granted").length;
    const json = { coupon_name: name, granted_count: grantedCount, remaining_amount: result.remaining, results };
    return ok(200, { json, seq: result.seq });
  },
});
