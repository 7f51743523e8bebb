// Claims as CSV (RFC 4180), NDJSON, or part of a coupon's JSON, streamed page by page in constant memory.

import type { Claim } from "../domain/claim.ts";
import { EXPORT_PAGE_SIZE } from "../domain/limits.ts";
import type { Page } from "../domain/rpc.ts";
import { callCoupon } from "../edge/coupon-calls.ts";
import type { CouponEnv } from "../edge/env.ts";
import { receipt } from "./representations.ts";

/** Writes a page of claims, which may be the first, the last, or both. */
export type Write = (claims: readonly Claim[], isFirst: boolean, isLast: boolean) => string;

/**
 * Streams `first` and every page behind it. A page is fetched once the one before was read. An export is no snapshot: what is
 * claimed meanwhile is at its end, what is released meanwhile may be missing. A page that can't be had breaks the stream,
 * so that a part is not taken for the whole.
 */
export function exportStream(env: CouponEnv, name: string, first: Page, write: Write): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  let page = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { claims, next } = page;
      controller.enqueue(utf8.encode(write(claims, page === first, next === null)));
      if (next === null) {
        controller.close();
        return;
      }
      const result = await callCoupon(env, name, (coupon) => coupon.listClaims(next, EXPORT_PAGE_SIZE), "read");
      if (result.ok) page = result;
      else controller.error(new Error(`the export ended early: ${result.code}`));
    },
  });
}

/** A coupon as JSON with all users that have a claim, when they are too many for one answer of the object. */
export function couponWithClaimants(coupon: object): Write {
  const open = `${JSON.stringify(coupon).slice(0, -1)},"claimed_by":[`;
  return (claims, isFirst, isLast) => {
    const users = claims.map(({ userId }) => JSON.stringify(userId)).join(",");
    return `${isFirst ? open : claims.length > 0 ? "," : ""}${users}${isLast ? "]}" : ""}`;
  };
}

// Many line readers end a line at these too, and JSON allows them in a string as they are.
const LINE_SEPARATOR = /[\u2028\u2029]/g;

function escaped(separator: string): string {
  return separator === "\u2028" ? "\\u2028" : "\\u2029";
}

/** A line for each claim, as JSON. */
export function ndjson(name: string): Write {
  return (claims) => claims.map((claim) => `${JSON.stringify(receipt(name, claim)).replaceAll(LINE_SEPARATOR, escaped)}\n`).join("");
}

/** A line for each claim, and one with the columns' names before them. */
export function csv(name: string): Write {
  return (claims, isFirst) => {
    const rows = claims.map((claim) => `${Object.values(receipt(name, claim)).map(csvCell).join(",")}\r\n`);
    return (isFirst ? "coupon_name,user_id,position,claimed_at\r\n" : "") + rows.join("");
  };
}

/**
 * Quotes what has to be quoted, and puts an apostrophe before what a spreadsheet would run as a formula, also one that takes a
 * semicolon for the end of a cell (source: OWASP, CSV Injection).
 */
function csvCell(value: string | number): string {
  const harmless = String(value).replaceAll(/(^(?=\s*[=+\-@＝＋－＠])|;(?=[\s"]*[=+\-@＝＋－＠]))/g, "$1'");
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
