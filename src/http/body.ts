// From the bytes of a request's body to a value that its schema vouches for, or a refusal.

import type * as z from "zod";

import { refuse } from "./answers.ts";
import type { Context } from "./context.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Answers the body as `schema` parses it, or the refusal to send: 413 over `bytesMax`, else 400. The content type is not
 * asked: what is JSON is taken. Bytes that are no UTF-8 are refused, because replacing them would make two users one.
 */
export async function parseBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
  bytesMax: number,
): Promise<z.output<Schema> | Response> {
  const bytes = await readAtMost(c.req.raw, bytesMax);
  if (bytes === null) return refuse(c, "payload_too_large");
  const parsed = schema.safeParse(jsonIn(bytes));
  return parsed.success ? parsed.data : refuseIssues(c, parsed.error.issues);
}

/** The body, or null as soon as it is known to be larger than `bytesMax`. One that breaks off is no JSON, whoever broke it: it reads as empty. */
async function readAtMost(request: Request, bytesMax: number): Promise<Uint8Array | null> {
  const announced = request.headers.get("content-length");
  try {
    if (announced === null) return await readStream(request.body, bytesMax);
    return Number(announced) > bytesMax ? null : await request.bytes();
  } catch {
    return new Uint8Array();
  }
}

async function readStream(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.byteLength;
    if (length > bytesMax) return null;
    chunks.push(chunk);
  }
  return concat(chunks, length);
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** The JSON value in `bytes`; undefined, which no schema takes, where there is none. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Tells the first fault in a sentence and every field's first fault beside it. */
function refuseIssues(c: Context, issues: readonly z.core.$ZodIssue[]): Response {
  const fields = new Map<string, string>();
  for (const { path, message } of issues) {
    const field = path.join(".");
    if (field !== "" && !fields.has(field)) fields.set(field, message);
  }
  const [first] = fields;
  if (first === undefined) return refuse(c, "invalid_request");
  return refuse(c, "invalid_request", { details: { fields: Object.fromEntries(fields) }, error: `invalid request: ${first.join(" ")}` });
}
