// Claims as CSV (RFC 4180), NDJSON, or part of a coupon's JSON, streamed page by page in constant memory.

import type { Claim } from "../domain/claim.ts";
import { EXPORT_PAGE_SIZE } from "../domain/limits.ts";
import type { Page } from "../domain/rpc.ts";
import { callCoupon } from "../edge/coupon-calls.ts";
import type { CouponEnv } from "../edge/env.ts";
import { receipt } from "./representations.ts";

/** Returns the text of one page of claims. A page can be the first, the last, or both. */
export type Write = (claims: readonly Claim[], isFirst: boolean, isLast: boolean) => string;

/**
 * Streams `first` and all pages after it. Each page is fetched when the one before was read. An export is not
 * a snapshot: new claims are at its end, and claims that are revoked meanwhile may be missing. A page that
 * can't be fetched breaks the stream, so that an incomplete export is not taken for a complete one.
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

/** Writes a coupon as JSON, with claimants that are too many for one answer of the object. */
export function couponWithClaimants(coupon: object): Write {
  const open = `${JSON.stringify(coupon).slice(0, -1)},"claimed_by":[`;
  return (claims, isFirst, isLast) => {
    const users = claims.map(({ userId }) => JSON.stringify(userId)).join(",");
    return `${isFirst ? open : claims.length > 0 ? "," : ""}${users}${isLast ? "]}" : ""}`;
  };
}

// JSON allows these characters unescaped in a string, but many line readers end a line at them.
const LINE_SEPARATOR = /[\u2028\u2029]/g;

function escaped(separator: string): string {
  return separator === "\u2028" ? "\\u2028" : "\\u2029";
}

/** Writes one JSON line for each claim. */
export function ndjson(name: string): Write {
  return (claims) => claims.map((claim) => `${JSON.stringify(receipt(name, claim)).replaceAll(LINE_SEPARATOR, escaped)}\n`).join("");
}

/** Writes one CSV line for each claim, after a header line. */
export function csv(name: string): Write {
  return (claims, isFirst) => {
    const rows = claims.map((claim) => `${Object.values(receipt(name, claim)).map(csvCell).join(",")}\r\n`);
    return (isFirst ? "coupon_name,user_id,position,claimed_at\r\n" : "") + rows.join("");
  };
}

/**
 * Returns a cell, quoted if necessary. An apostrophe precedes each text that a spreadsheet would run as a
 * formula. Some spreadsheets end a cell at a semicolon, so one also follows each semicolon before such a text
 * (source: OWASP, CSV Injection).
 */
function csvCell(value: string | number): string {
  const escapedText = String(value).replaceAll(/(^(?=\s*[=+\-@＝＋－＠])|;(?=[\s"]*[=+\-@＝＋－＠]))/g, "$1'");
  return /[",\r\n]|^\s|\s$/.test(escapedText) ? `"${escapedText.replaceAll('"', '""')}"` : escapedText;
}
