// The bytes of a body, and the values in them: JSON, or the fields of a form. A query string has the same form.

import { DISCARDED_BYTES_MAX } from "../domain/limits.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Returns the body, or null if it is larger than `bytesMax`. A body that breaks off reads as one byte that is
 * not UTF-8.
 */
export async function readAtMost(request: Request, bytesMax: number): Promise<Uint8Array | null> {
  const contentLength = request.headers.get("content-length");
  try {
    if (contentLength === null) return await readStream(request.body, bytesMax);
    // `Request.bytes` costs a claim 8 µs more.
    return Number(contentLength) > bytesMax ? null : new Uint8Array(await request.arrayBuffer());
  } catch {
    return Uint8Array.of(0xff);
  }
}

/**
 * A body that is too large is read on, and discarded: a proxy in front, such as that of `wrangler dev`, can
 * fail with 500 if a Worker stops reading. The bytes are copied, because `workerd` puts even a chunk of one
 * byte into 4 KiB, and a caller chooses the chunks.
 */
async function readStream(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array | null> {
  let whole = new Uint8Array(0);
  let length = 0;
  for await (const chunk of stream ?? []) {
    const offset = length;
    length += chunk.byteLength;
    if (length > DISCARDED_BYTES_MAX) return null;
    if (length > bytesMax) continue;
    if (length > whole.length) whole = copied(whole, Math.min(2 * length, bytesMax));
    whole.set(chunk, offset);
  }
  return length > bytesMax ? null : whole.subarray(0, length);
}

function copied(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}

/**
 * Returns the text in `bytes`. Bytes that are not UTF-8 are undefined, because replacing them could make two users
 * equal.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Returns the JSON value in `text`. Malformed JSON is undefined. */
export function jsonIn(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Returns the values of each field of `application/x-www-form-urlencoded`. A malformed one is null: `URLSearchParams`
 * would replace it.
 */
export function fieldsIn(text: string): Map<string, (string | null)[]> {
  const fields = new Map<string, (string | null)[]>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const [sent = "", ...rest] = pair.replaceAll("+", " ").split("=");
    const name = decoded(sent);
    const values = fields.get(name ?? sent) ?? [];
    values.push(name === null ? null : decoded(rest.join("=")));
    fields.set(name ?? sent, values);
  }
  return fields;
}

/** Returns a percent-decoded text, or null if it is malformed. */
export function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
