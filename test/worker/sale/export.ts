// Exports of claims, whole and as streams, and coupons with more claims than a test can make.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";

import { setClock, T0 } from "../../support/clock.ts";
import { claim, created, pathOf, revoke, users } from "../../support/api.ts";
import { stubOf } from "../../support/storage.ts";

type Export = { readonly status: number; readonly headers: Headers; readonly text: string };

function requestOf(name: string, accept: string, query: string): Request {
  return new Request(`https://doorbuster.test${pathOf(name, "claims")}${query}`, { headers: { Accept: accept } });
}

/** An export as a caller gets it: the platform cuts it into chunks of its own. */
export function fetchExport(name: string, accept: string, query = ""): Promise<Response> {
  return exports.default.fetch(requestOf(name, accept, query));
}

/** A small export, read whole. */
export async function exported(name: string, accept: string, query = ""): Promise<Export> {
  const response = await fetchExport(name, accept, query);
  return { status: response.status, headers: response.headers, text: new TextDecoder().decode(await response.arrayBuffer()) };
}

/** The cells of a CSV text (RFC 4180), up to the first fault. */
export function cellsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy)) {
    row.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/**
 * Stores `count` claims in a coupon's tables, as single claims would have, and has the object read them.
 */
export async function plant(name: string, count: number): Promise<void> {
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
  await runInDurableObject(stubOf(name), (_object, { storage }) => {
    storage.transactionSync(() => {
      storage.sql.exec(`INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id)
        ${numbers} SELECT 'user-' || n, n, ${T0}, (SELECT amount FROM coupon) - n, NULL, 'attempt-' || n FROM numbers`);
      storage.sql.exec(`INSERT INTO ledger (seq, at, kind, user_id, position, data)
        ${numbers} SELECT n + 1, ${T0}, 'claimed', 'user-' || n, n, NULL FROM numbers`);
      storage.sql.exec(
        `UPDATE coupon SET claimed = ${count}, last_position = ${count}, seq = ${count + 1}, clock_at = max(clock_at, ${T0})`,
      );
    });
  });
  await evictDurableObject(stubOf(name));
}

export type Streamed = {
  readonly lineCount: number;
  readonly byteCount: number;
  /** Whether every position is higher than the one before. */
  readonly isOrdered: boolean;
  readonly lastLine: string;
};

/**
 * Reads a stream of claims a chunk at a time and keeps only counts. `meanwhile` runs after the first
 * chunk. Throws where the stream breaks.
 */
export async function streamed({ body }: Response, meanwhile?: () => Promise<unknown>): Promise<Streamed> {
  const counted = { lineCount: 0, byteCount: 0, isOrdered: true, lastLine: "" };
  const utf8 = new TextDecoder();
  let [rest, last] = ["", 0];
  const stream: ReadableStream<Uint8Array> | null = body;
  for await (const chunk of stream ?? []) {
    const lines = (rest + utf8.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const position = Number(/(?:,|"position":)(\d+)(?=,)/.exec(line)?.[1] ?? 0);
      counted.isOrdered &&= position > last || line.startsWith("coupon_name");
      last = position;
    }
    counted.lastLine = lines.at(-1) ?? counted.lastLine;
    counted.lineCount += lines.length;
    if (counted.byteCount === 0) await meanwhile?.();
    counted.byteCount += chunk.byteLength;
  }
  return counted;
}

/** A coupon with 25 claims, of which those at 3, 10 and 25 were revoked. `user-3` then claimed 26. */
export async function soldInPart(): Promise<string> {
  setClock(T0);
  const name = await created(100);
  for (const user of users(25)) await claim(name, user);
  for (const user of ["user-3", "user-10", "user-25"]) await revoke(name, user);
  await claim(name, "user-3");
  return name;
}

/** The text of a stream. `meanwhile` runs after its first chunk. Throws where the stream breaks. */
export async function textOf({ body }: Response, meanwhile: () => Promise<unknown>): Promise<string> {
  const utf8 = new TextDecoder();
  const stream: ReadableStream<Uint8Array> | null = body;
  let text = "";
  for await (const chunk of stream ?? []) {
    if (text === "") await meanwhile();
    text += utf8.decode(chunk, { stream: true });
  }
  return text;
}
