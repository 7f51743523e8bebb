// The routes of backups: take one as a file, and restore it part by part.

import { RESTORE_PARTS_MAX } from "../../domain/backup-limits.ts";
import { OPERATOR_BODY_BYTES_MAX } from "../../domain/limits.ts";
import { callCoupon } from "../../edge/coupon-calls.ts";
import * as wire from "../../wire.ts";
import { CouponAnswer, RestoreAnswer } from "../answer-schemas.ts";
import { BackupLine, parsePart } from "../backup-part.ts";
import { backupStream } from "../backup-stream.ts";
import { attachment } from "../claim-export.ts";
import { JSON_TYPE, NDJSON_TYPE } from "../media-types.ts";
import { BackupText, queryInteger } from "../request-schemas.ts";
import { ok, route } from "../route.ts";

export const backupCoupon = route({
  id: "backupCoupon",
  tag: "backups",
  method: "GET",
  path: "/api/coupons/{name}/backup",
  summary: "Back up a coupon",
  description:
    "One line of JSON for the coupon, one for each event of its ledger, and a last one with the SHA-256 of all lines before. Everything is of the instant at which the backup began, and claims go on meanwhile. A backup without its last line is not complete.",
  who: "operator",
  successes: { 200: { description: "The backup.", content: { [NDJSON_TYPE]: BackupLine }, headers: ["Content-Disposition"] } },
  refusals: [],
  async handle({ params: { name } }, { worker: { env }, isHead, logBreak }) {
    const first = await callCoupon(env, name, (coupon) => coupon.backup(null, 0, null), "read");
    if (!first.ok) return first;
    const headers = { "Content-Disposition": attachment(name, "ndjson", "backup") };
    const text = isHead ? null : backupStream(env, name, first, (cause) => logBreak("backup_failed", cause));
    return ok(200, { contentType: NDJSON_TYPE, text, headers, seq: first.seq });
  },
});

export const restoreCoupon = route({
  id: "restoreCoupon",
  tag: "backups",
  method: "POST",
  path: "/api/coupons/{name}/restore",
  summary: "Restore a coupon from a backup",
  description:
    "Send the lines of a backup in parts of at most 1 MiB, in their order. The last part checks everything and makes the coupon. Until then it can't be seen. A part that is stored already changes nothing. Another first part begins again. A restore that is not finished within a day is discarded.",
  who: "operator",
  query: { part: queryInteger(1, RESTORE_PARTS_MAX, "The number of this part.", 1) },
  body: { schema: BackupText, bytesMax: OPERATOR_BODY_BYTES_MAX, isText: true },
  successes: {
    201: { description: "The coupon is restored.", content: { [JSON_TYPE]: CouponAnswer }, headers: ["Location"] },
    202: { description: "The part is stored.", content: { [JSON_TYPE]: RestoreAnswer } },
  },
  refusals: ["coupon_exists", "backup_invalid", "part_missing"],
  async handle({ params: { name }, query: { part: number }, body }, { worker: { env }, actor }) {
    const parsed = parsePart(body, number);
    if (!parsed.ok) return { ...parsed, code: "backup_invalid" };
    const result = await callCoupon(env, name, (coupon) => coupon.restore(name, parsed.part, actor), "repeatable");
    if (!result.ok) return result;
    const { seq } = result;
    if (!("coupon" in result)) return ok(202, { json: { coupon_name: name, next_part: result.nextPart }, seq });
    const headers = { Location: `/api/coupons/${encodeURIComponent(name)}` };
    return ok(201, { json: wire.coupon(result.coupon), headers, seq });
  },
});
