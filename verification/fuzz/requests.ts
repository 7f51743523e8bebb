// Requests for every operation of the document: most are valid, many have one hostile part.

import * as fc from "fast-check";

import { bodyFor } from "./bodies.ts";
import { KEYS, USER_IDS } from "./coupons.ts";
import { isParameter, operationsOf, type Document, type Operation, type Parameter } from "./document.ts";
import {
  ACCEPTS,
  CONTENT_TYPES,
  HOSTILE_HEADER_VALUES,
  HOSTILE_HEADERS,
  HOSTILE_PATHS,
  HOSTILE_QUERIES,
  HOSTILE_SEGMENTS,
  OTHER_METHODS,
} from "./hostile-values.ts";
import type { FuzzRequest } from "./request.ts";
import type { Tokens } from "./tokens.ts";
import { textFor, valueFor } from "./values.ts";

type Header = readonly [name: string, value: string];

/** The longest target. workerd answers 414 by itself to those of 64 KiB. */
const TARGET_LENGTH_MAX = 16_000;

/** The users that occur most often. */
const USERS_WITH_TOKEN = 6;

const hostileValue = fc.constantFrom(...HOSTILE_HEADER_VALUES);

/** Arbitrary requests for all operations of `document`. */
export function requestFor(document: Document, tokens: Tokens): fc.Arbitrary<FuzzRequest> {
  const weighted = operationsOf(document).map((operation) => ({
    weight: weightOf(operation),
    arbitrary: requestOf(document, operation, tokens),
  }));
  return fc.oneof(...weighted);
}

/** Deletions are rare, so that other requests find a coupon. Routes without input are rare, as they have little to get wrong. */
function weightOf({ method, path, requestBody }: Operation): number {
  const isSimple = requestBody === undefined && !path.includes("{");
  return isSimple || (method === "DELETE" && path === "/api/coupons/{name}") ? 1 : 5;
}

function requestOf(document: Document, operation: Operation, tokens: Tokens): fc.Arbitrary<FuzzRequest> {
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const body = schema === undefined ? mostly(fc.constant(null), 30, junkBody) : mostly(bodyFor(document, schema), 30, fc.constant(null));
  return fc
    .record({
      method: mostly(fc.constant(operation.method), 12, fc.constantFrom("HEAD", "HEAD", ...OTHER_METHODS)),
      path: pathOf(operation),
      query: queryOf(document, operation),
      headers: headersOf(operation, tokens),
      body,
      isChunked: mostly(fc.constant(false), 15, fc.constant(true)),
    })
    .map(({ method, path, query, headers, body: bytes, isChunked }) => ({
      method,
      target: (path + query).slice(0, TARGET_LENGTH_MAX),
      headers,
      body: bytes,
      isChunked: isChunked && bytes !== null,
    }));
}

const junkBody = fc.constantFrom("", "{}", "x", "x".repeat(20_000));

/** `usual`, and once in `times` + 1 the other. */
function mostly<Usual, Other>(usual: fc.Arbitrary<Usual>, times: number, other: fc.Arbitrary<Other>): fc.Arbitrary<Usual | Other> {
  return fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: other });
}

function pathOf({ segments }: Operation): fc.Arbitrary<string> {
  const parts = segments.map((segment) => (isParameter(segment) ? segmentFor(segment.slice(1, -1)) : fc.constant(segment)));
  const path = fc.tuple(...parts).map((all) => all.join("/"));
  const bent = fc.tuple(path, fc.constantFrom(...HOSTILE_PATHS)).map(([right, form]) => form.replace("|", () => right));
  return mostly(path, 25, bent);
}

function segmentFor(name: string): fc.Arbitrary<string> {
  const encoded = fc.tuple(textFor(name), fc.constantFrom(...ENCODINGS)).map(([text, encode]) => encode(text));
  return mostly(encoded, 15, fc.constantFrom(...HOSTILE_SEGMENTS));
}

/** Ways to write a text as a segment of a path. The first one is usual. */
const ENCODINGS: readonly ((text: string) => string)[] = [
  ...Array.from({ length: 12 }, () => (text: string) => encodeURIComponent(text.toWellFormed())),
  // Every byte, in small letters.
  (text) => Buffer.from(text).toString("hex").replaceAll(/../g, "%$&"),
  // Only what a target cannot hold: blanks, control characters, and ends of the segment.
  (text) => Buffer.from(text.toWellFormed().replaceAll(/[\p{Cc} /?#%<>`]/gu, encodeURIComponent)).toString("latin1"),
  (text) => encodeURIComponent(encodeURIComponent(text.toWellFormed())),
];

function queryOf(document: Document, { parameters }: Operation): fc.Arbitrary<string> {
  const described = parameters
    .filter((parameter) => parameter.in === "query")
    .map(({ name, schema }) => {
      const right = valueFor(document, schema, name).map((value) => String(value));
      const value = mostly(right, 4, mostly(hostileValue, 1, textFor(name))).map((text) => encodeURIComponent(text.toWellFormed()));
      return mostly(
        value.map((text) => [`${name}=${text}`]),
        1,
        fc.constant([]),
      );
    });
  const right = fc.tuple(...described).map((all) => all.flat().join("&"));
  return mostly(right, 15, fc.constantFrom(...HOSTILE_QUERIES)).map((query) => (query === "" ? "" : `?${query}`));
}

function headersOf(operation: Operation, tokens: Tokens): fc.Arbitrary<Header[]> {
  const described = operation.parameters.filter((parameter) => parameter.in === "header").map(headerFor);
  return fc
    .tuple(
      authorization(operation, tokens),
      ...described,
      rarely(8, headerOf("Accept", mostly(fc.constantFrom(...ACCEPTS), 10, hostileValue))),
      rarely(4, headerOf("Content-Type", mostly(fc.constantFrom(...CONTENT_TYPES), 10, hostileValue))),
      rarely(10, headerOf("X-Request-Id", mostly(fc.uuid(), 1, hostileValue))),
      rarely(
        15,
        fc.constantFrom(...HOSTILE_HEADERS).map((header): Header[] => [header]),
      ),
      rarely(
        15,
        fc.constantFrom("If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID").chain((name) => headerOf(name, hostileValue)),
      ),
    )
    .map((all) => all.flat());
}

/** Meaningful values by header. */
const MEANINGFUL: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "Idempotency-Key": fc.constantFrom(...KEYS).chain((key) => fc.constantFrom(key, `"${key}"`)),
  "If-Match": fc.constantFrom("*", '"00000000-1-open"', 'W/"00000000-1-open"'),
  "If-None-Match": fc.constantFrom("*", '"00000000-1-open"', 'W/"00000000-1-open"'),
  "Last-Event-ID": fc.nat(50).map(String),
};

function headerFor({ name }: Parameter): fc.Arbitrary<Header[]> {
  return rarely(2, headerOf(name, mostly(MEANINGFUL[name] ?? hostileValue, 3, hostileValue)));
}

/** Once in `times`; otherwise none. */
function rarely(times: number, headers: fc.Arbitrary<Header[]>): fc.Arbitrary<Header[]> {
  return mostly(fc.constant([]), times - 1, headers);
}

/** The header, sometimes twice. */
function headerOf(name: string, values: fc.Arbitrary<string>): fc.Arbitrary<Header[]> {
  return fc.array(values, { minLength: 1, maxLength: 2 }).map((all) => all.map((value): Header => [name, value]));
}

/** The valid header for the operation, and sometimes another one, or two. */
function authorization({ security }: Operation, { operator, ofUser, invalid }: Tokens): fc.Arbitrary<Header[]> {
  const asOperator: Header[] = operator === undefined ? [] : [["Authorization", `Bearer ${operator}`]];
  const isForUser = security.some((way) => "user" in way);
  const isForOperator = security.some((way) => "operator" in way);
  const users = ofUser === null ? [] : USER_IDS.slice(0, USERS_WITH_TOKEN).map((userId) => ofUser(userId));
  const asUser = users.map((token): Header[] => [["Authorization", `Bearer ${token}`]]);
  const right = isForUser && asUser.length > 0 ? fc.constantFrom(...asUser) : fc.constant(asOperator);
  const wrong = fc.oneof(
    fc.constant<Header[]>([]),
    fc.constant(asOperator),
    fc
      .constantFrom("", "Bearer", "Bearer ", "Basic Zm9vOmJhcg==", `bearer  ${operator ?? ""}`)
      .map((value): Header[] => [["Authorization", value]]),
    fc.constantFrom(...invalid).map((token): Header[] => [["Authorization", `Bearer ${token}`]]),
    fc.constantFrom(...invalid).map((token): Header[] => asOperator.concat([["Authorization", `Bearer ${token}`]])),
  );
  return mostly(right, isForOperator ? 15 : isForUser ? 3 : 1, wrong);
}
