// Parses a request into the values that its route declares, or returns a refusal.

import * as z from "zod";

import type { Precondition } from "../domain/etag.ts";
import { FAULTS_MAX, HEADER_TOKEN_LENGTH_MAX, OPERATOR_BODY_BYTES_MAX, TEXT_CODE_POINTS_MAX } from "../domain/limits.ts";
import { nameFault, textFault, type TextFault } from "../domain/names.ts";
import { preferredType } from "./accept.ts";
import { decoded, fieldsIn, jsonIn, readAtMost, textOf } from "./body.ts";
import { JSON_TYPE } from "./media-types.ts";
import { unknownFault } from "./nearest-name.ts";
import { pathOf, type PathPattern } from "./path-pattern.ts";
import { invalid, type Refusal } from "./refusals.ts";
import { VISIBLE_ASCII, type Context, type RequestContext } from "./request-context.ts";
import type { Input, Route } from "./route.ts";

type Values = Input<string, z.ZodType, Readonly<Record<string, z.ZodType>>>;

const NO_FIELDS = { schema: z.strictObject({}), bytesMax: OPERATOR_BODY_BYTES_MAX } as const;
// Printable ASCII in quotes, in which a backslash stands before a quote and before a backslash.
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * Returns the body that a route takes. A mutation by the operator that declares none takes no field, so that
 * `{"position":1}` on a `DELETE` is not lost.
 */
export function bodyOf({ body, who, method }: Route): Route["body"] {
  return body ?? (who === "operator" && method !== "GET" ? NO_FIELDS : undefined);
}

/**
 * Returns the function that reads the requests of a route. `pattern` is the route's path. The function adds
 * what the request names to its context, also if it refuses the rest.
 */
export function requestReader(route: Route, pattern: PathPattern): (c: Context, context: RequestContext) => Promise<Values | Refusal> {
  const { query: schemas = {}, takesIdempotencyKey, isConditional, method, who } = route;
  const declared = bodyOf(route);
  if (who === "operator" && declared !== undefined && declared.isText !== true && !isStrictObject(declared.schema))
    throw new TypeError(`${route.id} takes unknown fields`);
  const mediaTypes = Object.values<{ readonly content?: object }>(route.successes).flatMap(({ content = {} }) => Object.keys(content));
  const isStrict = method !== "GET" || who === "operator";

  return async (c, context) => {
    const { raw: request } = c.req;
    const { url, headers } = request;
    const params = pattern.params.length === 0 ? {} : readParams(url, pattern);
    const bytes = declared === undefined ? undefined : await readAtMost(request, declared.bytesMax);
    if (bytes === null) {
      Object.assign(context, subjectOf(params, undefined));
      return { ok: false, code: "payload_too_large" };
    }
    const isEmpty = bytes === undefined || (bytes.length === 0 && declared === NO_FIELDS);
    const sent = isEmpty ? NO_BODY : bodyIn(bytes, declared);
    const body = declared === undefined ? undefined : parseBody(sent, declared.schema);
    Object.assign(context, subjectOf(params, isRefusal(body) ? sent.value : body));
    if (isRefusal(body)) return body;
    const key = takesIdempotencyKey === true ? idempotencyKeyIn(headers.get("idempotency-key")) : null;
    if (key === undefined) return invalid("Idempotency-Key", "is invalid");
    const query = readQuery(url, schemas, isStrict);
    if (isRefusal(query)) return query;
    if (isRefusal(params)) return params;
    const precondition = isConditional === true ? preconditionIn(headers) : null;
    const mediaType = (mediaTypes.length < 2 ? mediaTypes[0] : preferredType(headers.get("accept"), mediaTypes)) ?? JSON_TYPE;
    return { params, query, body, key, precondition, mediaType };
  };
}

function isStrictObject(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever;
}

/** Returns the coupon and the user that a request names, if any. The body may be one that is refused. */
function subjectOf(params: unknown, body: unknown): { readonly coupon?: string; readonly userId?: string } {
  const coupon = textIn(params, "name") ?? textIn(body, "coupon_name") ?? textIn(body, "name");
  const userId = textIn(params, "user_id") ?? textIn(body, "user_id");
  return { ...(coupon === undefined ? {} : { coupon }), ...(userId === undefined ? {} : { userId }) };
}

function textIn(values: unknown, name: string): string | undefined {
  const value: unknown = typeof values === "object" && values !== null ? Reflect.get(values, name) : undefined;
  return typeof value === "string" && textFault(value) === null ? value : undefined;
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
  const names = Object.keys(schemas);
  if (names.length === 0 && !url.includes("?")) return {};
  const [, search = ""] = /\?([^#]*)/.exec(url) ?? [];
  const sent = fieldsIn(search);
  const unknown = isStrict ? Array.from(sent.keys()).filter((name) => !names.includes(name)) : [];
  if (unknown.length > 0) return refusalOf(unknown.map((name) => [name, unknownFault(name, names, "query parameters")]));
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const all = sent.get(name) ?? [];
    const faults = faultsOf(name, all);
    if (faults.length > 0) return refusalOf(faults);
    const parsed = schema.safeParse(all[0]);
    if (!parsed.success) return refusalOf(parsed.error.issues.map(({ message }) => [name, message]));
    values[name] = parsed.data;
  }
  return values;
}

/** Returns the fault of a field or query parameter that is malformed or sent more than once. */
function faultsOf(name: string, [value, ...more]: readonly (string | null)[]): Fault[] {
  if (more.length > 0) return [[name, "must be sent once"]];
  return value === null ? [[name, "must be percent-encoded UTF-8"]] : [];
}

const FAULT_OF: Readonly<Record<string, (text: string) => TextFault | null>> = {
  name: nameFault,
  user_id: textFault,
  id: textFault,
};
const NOT_FOUND: Readonly<Record<string, Refusal>> = {
  name: { ok: false, code: "coupon_not_found" },
  user_id: { ok: false, code: "claim_not_found" },
  id: { ok: false, code: "webhook_not_found" },
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
    // No coupon, user or webhook can have this name.
    if (text === null || FAULT_OF[name]?.(text) !== null) return NOT_FOUND[name] ?? { ok: false, code: "not_found" };
    values[name] = text;
  }
  return values;
}

/** A body before its schema parses it: its value, and the faults of a form's fields. */
type SentBody = { readonly value: unknown; readonly faults: readonly Fault[] };
const NO_BODY: SentBody = { value: {}, faults: [] };

/**
 * Returns the JSON value, the fields of the form or the text in a body, whatever its content type. The value of a malformed body
 * is undefined, which no schema accepts.
 */
function bodyIn(bytes: Uint8Array, declared: Route["body"]): SentBody {
  const text = textOf(bytes);
  if (declared?.isText === true) return { value: text, faults: [] };
  if (text === undefined || declared?.isForm !== true) return { value: jsonIn(text), faults: [] };
  const fields = Array.from(fieldsIn(text));
  const faults = fields.flatMap(([name, values]) => faultsOf(name, values));
  return { value: Object.fromEntries(fields.map(([name, [value]]) => [name, value])), faults };
}

/** Returns the body as `schema` parses it, or a refusal. */
function parseBody({ value, faults }: SentBody, schema: z.ZodType): unknown {
  if (faults.length > 0) return refusalOf(faults);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const inFields = faultsIn(issues, schema);
  const ofWhole = issues.find(({ code }) => code === "custom");
  if (inFields.length > 0 || ofWhole === undefined) return refusalOf(inFields);
  return { ok: false, code: "invalid_request", error: `invalid request: ${ofWhole.message}` } satisfies Refusal;
}

type Fault = readonly [field: string, fault: string];

/** Returns the faults of a body. The unknown fields come first, because a missing one is often among them. */
function faultsIn(issues: readonly z.core.$ZodIssue[], schema: z.ZodType): Fault[] {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const unknown = issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys.slice(0, FAULTS_MAX) : []));
  return [
    ...unknown.map((name): Fault => [name, unknownFault(name, known, "body fields")]),
    ...issues.filter(({ path }) => path.length > 0).map(({ path, message }): Fault => [path.join("."), message]),
  ];
}

/** Returns the refusal with the first fault of each field. */
function refusalOf(faults: readonly Fault[]): Refusal {
  const fields = new Map<string, string>();
  for (const [field, fault] of faults.slice(0, FAULTS_MAX)) {
    const name = field.slice(0, TEXT_CODE_POINTS_MAX).toWellFormed();
    if (!fields.has(name)) fields.set(name, fault);
  }
  return { ok: false, code: "invalid_request", ...(fields.size === 0 ? {} : { fields: Object.fromEntries(fields) }) };
}
