// Parses a request into the values that its route declares, or returns a refusal.

import type * as z from "zod";

import type { Precondition } from "../domain/etag.ts";
import { DISCARDED_BYTES_MAX, HEADER_TOKEN_LENGTH_MAX } from "../domain/limits.ts";
import { nameFault, textFault, type TextFault } from "../domain/names.ts";
import { preferredType } from "./accept.ts";
import { JSON_TYPE } from "./media-types.ts";
import { pathOf, type PathPattern } from "./path-pattern.ts";
import { invalid, type Refusal } from "./refusals.ts";
import { VISIBLE_ASCII, type Context } from "./request-context.ts";
import type { Input, Route } from "./route.ts";

type Values = Input<string, z.ZodType, Readonly<Record<string, z.ZodType>>>;

// Printable ASCII in quotes, in which a backslash stands before a quote and before a backslash.
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Returns the function that reads the requests of a route. `pattern` is the route's path. */
export function requestReader(route: Route, pattern: PathPattern): (c: Context) => Promise<Values | Refusal> {
  const { body: declared, query: schemas = {}, takesIdempotencyKey, isConditional, method } = route;
  const mediaTypes = Object.values<{ readonly content?: object }>(route.successes).flatMap(({ content = {} }) => Object.keys(content));
  const isStrict = method !== "GET";

  return async (c) => {
    const { raw: request } = c.req;
    const { url, headers } = request;
    const body = declared === undefined ? undefined : await readBody(request, declared.schema, declared.bytesMax);
    if (isRefusal(body)) return body;
    const key = takesIdempotencyKey === true ? idempotencyKeyIn(headers.get("idempotency-key")) : null;
    if (key === undefined) return { ...invalid("Idempotency-Key", "is invalid"), ...couponIn(body) };
    const query = readQuery(url, schemas, isStrict);
    if (isRefusal(query)) return { ...query, ...couponIn(body) };
    const params = pattern.params.length === 0 ? {} : readParams(url, pattern);
    if (isRefusal(params)) return params;
    const precondition = isConditional === true ? preconditionIn(headers) : null;
    const mediaType = (mediaTypes.length < 2 ? mediaTypes[0] : preferredType(headers.get("accept"), mediaTypes)) ?? JSON_TYPE;
    return { params, query, body, key, precondition, mediaType };
  };
}

/** Returns the coupon and the user that a request names, if any. */
export function subjectOf({ params, body }: Pick<Values, "params" | "body">): { readonly coupon?: string; readonly userId?: string } {
  const coupon = textIn(params, "name") ?? textIn(body, "coupon_name") ?? textIn(body, "name");
  const userId = textIn(params, "user_id") ?? textIn(body, "user_id");
  return { ...(coupon === undefined ? {} : { coupon }), ...(userId === undefined ? {} : { userId }) };
}

/** Returns the coupon that a claim's body names, if it can be one. */
function couponIn(body: unknown): { readonly coupon?: string } {
  const name = textIn(body, "coupon_name");
  return name === undefined || nameFault(name) !== null ? {} : { coupon: name };
}

function textIn(values: unknown, name: string): string | undefined {
  const value: unknown = typeof values === "object" && values !== null ? Reflect.get(values, name) : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Whether a read value is a refusal. No body schema has a field `ok`. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "ok" in value && value.ok === false;
}

function preconditionIn(headers: Headers): Precondition | null {
  const [ifMatch, ifNoneMatch] = [headers.get("if-match"), headers.get("if-none-match")];
  return ifMatch === null && ifNoneMatch === null ? null : { ifMatch, ifNoneMatch };
}

/**
 * Returns the key that the header `Idempotency-Key` has: a string of RFC 9651 (3.3.3) in quotes, or the same
 * without quotes and escapes, as older clients send it. Returns null without the header, and undefined for a
 * malformed one.
 */
export function idempotencyKeyIn(sent: string | null): string | null | undefined {
  if (sent === null) return null;
  if (!sent.startsWith('"')) return VISIBLE_ASCII.test(sent) ? sent : undefined;
  const key = QUOTED.exec(sent)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? "";
  return key.length > 0 && key.length <= HEADER_TOKEN_LENGTH_MAX ? key : undefined;
}

/**
 * Returns the query parameters. With `isStrict`, refuses unknown ones, because a mistyped one must not widen
 * a change.
 */
function readQuery(url: string, schemas: Readonly<Record<string, z.ZodType>>, isStrict: boolean): Values["query"] | Refusal {
  const start = url.indexOf("?");
  const names = Object.keys(schemas);
  if (start === -1 && names.length === 0) return {};
  const sent = new URLSearchParams(start === -1 ? "" : url.slice(start).split("#", 1)[0]);
  if (isStrict && Array.from(sent.keys()).some((name) => !Object.hasOwn(schemas, name))) {
    const error = `invalid request: this route takes ${names.length === 0 ? "no query parameters" : `only the query parameter ${names.join(", ")}`}`;
    return { ok: false, code: "invalid_request", error };
  }
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const [value, ...more] = sent.getAll(name);
    const parsed = more.length > 0 ? null : schema.safeParse(value);
    if (parsed?.success !== true) return invalid(name, "is invalid");
    values[name] = parsed.data;
  }
  return values;
}

const FAULT_OF: Readonly<Record<string, (text: string) => TextFault | null>> = { name: nameFault, user_id: textFault };
const NOT_FOUND: Readonly<Record<string, Refusal>> = {
  name: { ok: false, code: "coupon_not_found" },
  user_id: { ok: false, code: "claim_not_found" },
};

/**
 * Decodes the path parameters. Hono's own decoding keeps malformed escapes, which would give one coupon two
 * names.
 */
function readParams(url: string, { params }: PathPattern): Record<string, string> | Refusal {
  const segments = pathOf(url).split("/");
  const values: Record<string, string> = {};
  for (const { name, index } of params) {
    const text = decoded(segments[index] ?? "");
    // No coupon and no user can have this name.
    if (text === null || FAULT_OF[name]?.(text) !== null) return NOT_FOUND[name] ?? { ok: false, code: "not_found" };
    values[name] = text;
  }
  return values;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/**
 * Returns the body as `schema` parses it, or a refusal: 413 above `bytesMax`, or else 400. The content type
 * does not matter. Bytes that are not UTF-8 are refused, because replacing them could make two users equal.
 */
async function readBody(request: Request, schema: z.ZodType, bytesMax: number): Promise<unknown> {
  const bytes = await readAtMost(request, bytesMax);
  if (bytes === null) return { ok: false, code: "payload_too_large" } satisfies Refusal;
  const json = jsonIn(bytes);
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : { ...refusalOf(parsed.error.issues), ...couponIn(json) };
}

/**
 * Returns the body, or null if it is larger than `bytesMax`. A body that breaks off reads as empty, which is
 * not JSON.
 */
async function readAtMost(request: Request, bytesMax: number): Promise<Uint8Array | null> {
  const contentLength = request.headers.get("content-length");
  try {
    if (contentLength === null) return await readStream(request.body, bytesMax);
    return Number(contentLength) > bytesMax ? null : await request.bytes();
  } catch {
    return new Uint8Array();
  }
}

/**
 * A body that is too large is read on, and discarded: a proxy in front, such as that of `wrangler dev`, can
 * fail with 500 if a Worker stops reading.
 */
async function readStream(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.byteLength;
    if (length > DISCARDED_BYTES_MAX) return null;
    if (length <= bytesMax) chunks.push(chunk);
  }
  if (length > bytesMax) return null;
  const whole = new Uint8Array(length);
  let offset = 0;
  // A `Blob` would join them too, at twenty times the cost.
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** Returns the JSON value in `bytes`. Malformed JSON is undefined, which no schema accepts. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Returns the refusal with the first fault of each field. */
function refusalOf(issues: readonly z.core.$ZodIssue[]): Refusal {
  const fields: Record<string, string> = {};
  for (const { path, message } of issues) if (path.length > 0) fields[path.join(".")] ??= message;
  return { ok: false, code: "invalid_request", ...(Object.keys(fields).length === 0 ? {} : { fields }) };
}
