// One request as bytes that can be kept and sent, and its answer.

import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Dispatcher } from "undici";

export type FuzzRequest = {
  readonly method: string;
  /** The path and its query, as they stand in the request line: one character for each byte. */
  readonly target: string;
  /** In the order in which they are sent. A name may occur twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** One character for each byte, so that it can be kept as JSON; null for none. */
  readonly body: string | null;
  /** Sent in chunks, without a length. */
  readonly isChunked?: boolean;
};

export type FuzzAnswer = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The whole body; of a stream of events, the first message. */
  readonly body: string;
};

/** A JSON request with the operator's token, if there is one. */
export function jsonRequest(method: string, target: string, value: object | null, operator: string | undefined): FuzzRequest {
  return {
    method,
    target,
    headers: operator === undefined ? [] : [["Authorization", `Bearer ${operator}`]],
    body: value === null ? null : Buffer.from(JSON.stringify(value)).toString("latin1"),
  };
}

/** Far above the largest answer. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const CHUNK_BYTES = 4096;
/** The first message with data. The stream opens with one about the retry delay. */
const FIRST_MESSAGE = /\ndata: [^\n]*\n\n/;

/**
 * workerd reads so many more bytes of a body that the Worker does not want, and then closes
 * (`canceledUploadGraceBytes` of capnproto's `kj/compat/http.h`).
 */
const UNREAD_BYTES_MAX = 65_536;
/**
 * Tries of a body whose connection ends before the answer is complete. workerd resets a connection with
 * unread bytes. The sender may then lose the answer (RFC 9112, section 9.6): with 1 MiB, 30 to 80 times of
 * 100 on a busy machine. An accepted body is never cut off.
 */
const TRIES = 60;
/** How a connection ends while a chunked body is sent, as Node and undici name it. */
const CUT_OFF = new Set(["EPIPE", "ECONNRESET", "UND_ERR_SOCKET"]);
/** The end of an answer is missing. A large one loses it to a reset even after a body of known length. */
const IS_INCOMPLETE = "UND_ERR_RES_CONTENT_LENGTH_MISMATCH";

/** Sends `request` and reads the answer. Rejects without an answer in time, and on an endless one. */
export async function send(dispatcher: Dispatcher, request: FuzzRequest): Promise<FuzzAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await exchange(dispatcher, request);
    } catch (cause) {
      const code = String((cause as NodeJS.ErrnoException).code);
      const isCutOff = code === IS_INCOMPLETE || (request.isChunked === true && CUT_OFF.has(code));
      if (request.body === null || !isCutOff || tries === TRIES) throw cause;
    }
  }
}

async function exchange(dispatcher: Dispatcher, { method, target, headers, body, isChunked }: FuzzRequest): Promise<FuzzAnswer> {
  const bytes = body === null ? null : Buffer.from(body, "latin1");
  const answer = await dispatcher.request({
    method,
    path: target,
    headers: headers.flat(),
    // workerd may close silently after a large unread body, so the connection takes no other request.
    reset: (bytes?.byteLength ?? 0) > UNREAD_BYTES_MAX,
    body: bytes !== null && isChunked === true ? Readable.from(chunksOf(bytes)) : bytes,
  });
  const isStream = String(answer.headers["content-type"]).startsWith("text/event-stream");
  return { status: answer.statusCode, headers: answer.headers, body: await readBody(answer.body, isStream) };
}

async function readBody(stream: Dispatcher.ResponseData["body"], isStream: boolean): Promise<string> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = chunk;
    length += bytes.byteLength;
    text += utf8.decode(bytes, { stream: true });
    // Leaving the loop closes the connection, as a viewer who leaves does.
    if (isStream && FIRST_MESSAGE.test(text)) return text;
    if (length > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
  }
  return text + utf8.decode();
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
    // Lets an answer arrive in between.
    await nextTurn();
  }
}
