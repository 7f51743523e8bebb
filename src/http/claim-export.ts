// Claims as CSV (RFC 4180), NDJSON, or part of a coupon's JSON, streamed page by page in constant memory.

import type { Claim } from "../domain/claim.ts";
import { assert } from "../domain/assert.ts";
import { CLAIMANTS_AT_ONCE_MAX, EXPORT_PAGE_SIZE } from "../domain/limits.ts";
import type { ClaimantPage, Found, Page } from "../domain/rpc.ts";
import { callCoupon } from "../edge/coupon-calls.ts";
import type { CouponEnv } from "../edge/env.ts";
import { jsonLine, receipt, unicodeEscape } from "../wire.ts";

/** Is called with the reason when a stream breaks off, but not when its reader leaves. */
export type OnBreak = (cause: unknown) => void;

/** Returns the text of one page of claims. */
export type Write = (claims: readonly Claim[], isFirst: boolean) => string;

/**
 * Streams `first` and all pages after it. An export is not a snapshot: new claims are at its end, and claims
 * that are revoked meanwhile may be missing.
 */
export function exportStream(env: CouponEnv, name: string, first: Page, write: Write, onBreak: OnBreak): ReadableStream<Uint8Array> {
  return pagedStream<Page>(
    first,
    (page, isFirst) => {
      const { claims } = page;
      page.claims = [];
      return write(claims, isFirst);
    },
    async ({ next }) => {
      if (next === null) return null;
      const result = await callCoupon(env, name, (coupon) => coupon.listClaims(next, EXPORT_PAGE_SIZE), "read");
      return result.ok ? result : breakOff(result);
    },
    onBreak,
  );
}

/**
 * Streams a coupon as JSON, with its claimants at the instant that `found` shows it. What happens meanwhile
 * changes nothing. Returns the refusal if the first page can't be fetched.
 */
export async function claimantStream(env: CouponEnv, name: string, { coupon }: Found, json: object, onBreak: OnBreak) {
  const asOf = { epoch: coupon.epoch, seq: coupon.seq };
  const pageAfter = (seq: number) => callCoupon(env, name, (object) => object.claimants(asOf, seq, CLAIMANTS_AT_ONCE_MAX), "read");
  const first = await pageAfter(0);
  if (!first.ok) return first;
  let listedCount = 0;
  return pagedStream<ClaimantPage>(
    first,
    (page, isFirst) => {
      const { json: users, userCount, next } = page;
      page.json = "";
      listedCount += userCount;
      if (next === null) assert(listedCount === coupon.claimed, "as many claimants as units claimed");
      const opened = isFirst ? `${JSON.stringify(json).slice(0, -1)},"claimed_by":[${users.slice(1)}` : users;
      return next === null ? `${opened}]}` : opened;
    },
    async ({ next }) => {
      if (next === null) return null;
      const result = await pageAfter(next);
      return result.ok ? result : breakOff(result);
    },
    onBreak,
  );
}

/** Breaks the stream, so that an incomplete text is not taken for a complete one. */
function breakOff({ code, cause }: { readonly code: string; readonly cause?: unknown }): never {
  throw new Error(`the export ended early: ${code}`, { cause });
}

/**
 * Streams the text of `first` and of all pages after it. Each page is fetched when the one before was read. A
 * `nextOf` that throws breaks the stream. A `textOf` empties its page: the platform keeps what an object has
 * returned until the next full garbage collection.
 */
export function pagedStream<Rows>(
  first: Rows,
  textOf: (page: Rows, isFirst: boolean) => string,
  nextOf: (page: Rows) => Promise<Rows | null>,
  onBreak: OnBreak,
): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  // A write ends when it was read. So all pages share one buffer.
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let buffer = new Uint8Array(0);
  /** Returns false once the reader has left. */
  async function write(text: string): Promise<boolean> {
    const bytesMax = text.length * 3;
    if (buffer.length < bytesMax) buffer = new Uint8Array(bytesMax);
    const { written } = utf8.encodeInto(text, buffer);
    return written === 0 || isTaken(writer.write(buffer.subarray(0, written)));
  }
  async function run(): Promise<void> {
    for (let page: Rows | null = first; page !== null; page = await nextOf(page)) if (!(await write(textOf(page, page === first)))) return;
    await isTaken(writer.close());
  }
  void run().catch((cause: unknown) => {
    onBreak(cause);
    return isTaken(writer.abort(cause));
  });
  return readable;
}

/** Returns whether a reader has taken what was written. One who leaves does not. */
function isTaken(written: Promise<void>): Promise<boolean> {
  return written.then(
    () => true,
    () => false,
  );
}

/** Writes one JSON line for each claim. */
export function ndjson(name: string): Write {
  return (claims) => claims.map((claim) => `${jsonLine(receipt(name, claim))}\n`).join("");
}

/** Writes one CSV line for each claim, after a header line. */
export function csv(name: string): Write {
  return (claims, isFirst) =>
    csvText(
      claims.map((claim) => receipt(name, claim)),
      isFirst && "coupon_name,user_id,position,claimed_at",
    );
}

/** Returns a CSV line for each row, after a header line if there is one. By the byte order mark, Excel reads UTF-8. */
export function csvText(rows: readonly Readonly<Record<string, string | number>>[], header: string | false): string {
  const lines = rows.map((row) => `${Object.values(row).map(csvCell).join(",")}\r\n`);
  return (header === false ? "" : `\ufeff${header}\r\n`) + lines.join("");
}

// Line separators, and a backslash that would read as the beginning of their escapes.
const ESCAPED_IN_CSV = /[\u2028\u2029]|\\(?=u(?:005c|2028|2029))/g;

// Where a text begins as a formula or with an apostrophe. Some spreadsheets end a cell at a semicolon, so
// text after a semicolon counts too (source: OWASP, CSV Injection).
const FORMULA_IN_CSV = /(^(?='|\s*[=+\-@＝＋－＠])|;(?='|[\s"]*[=+\-@＝＋－＠]))/g;

/**
 * Returns a cell, quoted if necessary. An apostrophe keeps a spreadsheet from running a text as a formula. A
 * reader removes one apostrophe at the beginning and after each semicolon, then decodes the escapes. So two
 * texts never have the same cell.
 */
function csvCell(value: string | number): string {
  const text = String(value).replaceAll(ESCAPED_IN_CSV, unicodeEscape).replaceAll(FORMULA_IN_CSV, "$1'");
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Characters that some file system refuses in a file's name.
const NOT_IN_FILE_NAMES = /[/\\<>:"|?*\p{C}\u2028\u2029]/gu;

/** Returns the `Content-Disposition` of the claims of coupon `name`, or of its backup, as a file (RFC 6266). */
export function attachment(name: string, extension: "csv" | "ndjson", what: "claims" | "backup" = "claims"): string {
  const file = `${what}-${name.replaceAll(NOT_IN_FILE_NAMES, "_")}.${extension}`;
  const ascii = file.replaceAll(/[^\x20-\x7e]|%/gu, "_");
  // RFC 8187 allows fewer characters than encodeURIComponent leaves.
  const encoded = encodeURIComponent(file).replaceAll(/['()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"${ascii === file ? "" : `; filename*=UTF-8''${encoded}`}`;
}
