// One request as bytes that can be kept, sent, and typed again as a line of shell.

import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Dispatcher } from "undici";

import { utf8Of } from "./document.ts";

export type FuzzRequest = {
  readonly method: string;
  /** What stands between the method and the version: the path and its query, one character for each byte. */
  readonly target: string;
  /** In the order in which they are sent; a name may stand there twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** One character for each byte, so that it can be kept as JSON; null for none. */
  readonly body: string | null;
  /** Sent in chunks, without a length. */
  readonly isChunked?: boolean;
};

export type FuzzAnswer = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The whole body; of a stream of events, the first message. */
  readonly body: string;
};

/** More than any answer here has a reason to be. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Pieces of a body that is sent in chunks. */
const CHUNK_BYTES = 4096;
const MESSAGES = "text/event-stream";
/** What ends the first message of a stream that opens with a message of its own about when to come back. */
const FIRST_MESSAGE = /\ndata: [^\n]*\n\n/;

/**
 * Of a body that nobody wants workerd reads as much more, in bytes, and for a second at most, and then closes
 * (`canceledUploadGraceBytes` and `canceledUploadGracePeriod` of capnproto's `kj/compat/http.h`).
 */
const UNREAD_BYTES_MAX = 65_536;
/**
 * How often a body in chunks is sent where the connection ends under it. Who still sends when workerd closes is reset, and may
 * lose the answer or its end (RFC 9112, section 9.6): with 1 MiB, 30 to 80 times of 100 on a busy machine, with 20,000 bytes
 * 15 to 25. After so many tries it is something else. What is taken was read to its end, so it is never cut off.
 */
const TRIES = 60;
/** How a connection ends under a body or an answer, as Node and undici name it. */
const CUT_OFF = new Set(["EPIPE", "ECONNRESET", "UND_ERR_SOCKET", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);

/** Sends `request` and reads the answer. Rejects where there is none in time, or one without end. */
export async function send(dispatcher: Dispatcher, request: FuzzRequest): Promise<FuzzAnswer> {
  // A body of known length leaves in one write, and its answer is read before another one could fail.
  const mayBeCutOff = request.isChunked === true && request.body !== null;
  for (let tries = 1; ; tries += 1) {
    try {
      return await exchange(dispatcher, request);
    } catch (cause) {
      if (!mayBeCutOff || tries === TRIES || !CUT_OFF.has(String((cause as NodeJS.ErrnoException).code))) throw cause;
    }
  }
}

async function exchange(dispatcher: Dispatcher, { method, target, headers, body, isChunked }: FuzzRequest): Promise<FuzzAnswer> {
  const bytes = body === null ? null : Buffer.from(body, "latin1");
  const answer = await dispatcher.request({
    method,
    path: target,
    headers: headers.flat(),
    // workerd may close without a word after a large body that it did not read: nobody else may be sent on that connection.
    reset: (bytes?.byteLength ?? 0) > UNREAD_BYTES_MAX,
    body: bytes !== null && isChunked === true ? Readable.from(chunksOf(bytes)) : bytes,
  });
  const isStream = String(answer.headers["content-type"]).startsWith(MESSAGES);
  const text = await readBody(answer.body, isStream);
  return { status: answer.statusCode, headers: answer.headers, body: text };
}

async function readBody(stream: Dispatcher.ResponseData["body"], isMessages: boolean): Promise<string> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = chunk;
    length += bytes.byteLength;
    text += utf8.decode(bytes, { stream: true });
    // Leaving the loop closes the connection, as a viewer who leaves does.
    if (isMessages && FIRST_MESSAGE.test(text)) return text;
    if (length > BODY_BYTES_MAX) throw new Error(`an answer of more than ${BODY_BYTES_MAX} bytes`);
  }
  return text + utf8.decode();
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
    // Meanwhile an answer can be read.
    await nextTurn();
  }
}

/** Longest body that is shown. */
const SHOWN_BYTES_MAX = 2000;

/** The request as a line of shell that sends it again. */
export function curlOf(request: FuzzRequest, url: string): string {
  const { method, target, headers, body, isChunked } = request;
  const sent = headers.map(([name, value]) => `-H ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
  const chunked = isChunked === true ? ["-H 'Transfer-Encoding: chunked'"] : [];
  const verb = method === "HEAD" ? "--head" : `-X ${quoted(method)}`;
  const curl = [
    "curl -si --path-as-is --globoff",
    verb,
    ...sent,
    ...chunked,
    body === null ? "" : "--data-binary @-",
    quoted(url + utf8Of(target)),
  ];
  const line = curl.filter((part) => part !== "").join(" ");
  if (body === null) return line;
  const shown = body.length > SHOWN_BYTES_MAX ? `${body.slice(0, SHOWN_BYTES_MAX)}… (${body.length} bytes in all)` : body;
  return `printf %b ${quoted(printfOf(shown))} | ${line}`;
}

/** What `printf %b` turns back into these bytes. */
function printfOf(bytes: string): string {
  return bytes
    .replaceAll("\\", "\\\\")
    .replaceAll(/[^\x20-\x7e]/g, (byte) => (byte === "…" ? byte : `\\0${byte.charCodeAt(0).toString(8).padStart(3, "0")}`));
}

function quoted(text: string): string {
  return /^[\w./:@%,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
