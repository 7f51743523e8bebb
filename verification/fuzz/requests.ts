// Requests for every operation of the document: most are valid, many have one hostile part.

import * as fc from "fast-check";

import { bodyFor } from "./bodies.ts";
import { KEYS, USER_IDS } from "./coupons.ts";
import { isParameter, operationsOf, type Document, type Operation } from "./document.ts";
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

/** Deletions are rare, so that other requests find a coupon. Routes without input have few faults. */
function weightOf({ method, path, requestBody }: Operation): number {
  const isSimple = requestBody === undefined && !path.includes("{");
  return isSimple || (method === "DELETE" && path === "/api/coupons/{name}") ? 1 : 5;
}

function requestOf(document: Document, operation: Operation, tokens: Tokens): fc.Arbitrary<FuzzRequest> {
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const junk = fc.constantFrom("", "{}", "x", "x".repeat(20_000));
  const body = schema === undefined ? mostly(30, fc.constant(null), junk) : mostly(30, bodyFor(document, schema), fc.constant(null));
  return fc
    .record({
      method: mostly(12, fc.constant(operation.method), fc.constantFrom("HEAD", "HEAD", ...OTHER_METHODS)),
      path: pathOf(operation),
      query: queryOf(document, operation),
      headers: headersOf(operation, tokens),
      body,
      isChunked: mostly(15, fc.constant(false), fc.constant(true)),
    })
    .map(({ method, path, query, headers, body: bytes, isChunked }) => {
      const target = (path + query).slice(0, TARGET_LENGTH_MAX);
      return { method, target, headers, body: bytes, isChunked: isChunked && bytes !== null };
    });
}

/** `usual`, and once in `times` + 1 the other. */
function mostly<Usual, Other>(times: number, usual: fc.Arbitrary<Usual>, other: fc.Arbitrary<Other>): fc.Arbitrary<Usual | Other> {
  return fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: other });
}

function pathOf({ segments }: Operation): fc.Arbitrary<string> {
  const parts = segments.map((segment) => (isParameter(segment) ? segmentFor(segment.slice(1, -1)) : fc.constant(segment)));
  const path = fc.tuple(...parts).map((all) => all.join("/"));
  const bent = fc.tuple(path, fc.constantFrom(...HOSTILE_PATHS)).map(([valid, form]) => form.replace("|", () => valid));
  return mostly(25, path, bent);
}

function segmentFor(name: string): fc.Arbitrary<string> {
  const usual = textFor(name).map((text) => encodeURIComponent(text.toWellFormed()));
  const encoded = fc.tuple(textFor(name), fc.constantFrom(...OTHER_ENCODINGS)).map(([text, encode]) => encode(text));
  return mostly(15, mostly(4, usual, encoded), fc.constantFrom(...HOSTILE_SEGMENTS));
}

const OTHER_ENCODINGS: readonly ((text: string) => string)[] = [
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
      const valid = valueFor(document, schema, name).map(String);
      const value = mostly(4, valid, mostly(1, hostileValue, textFor(name)));
      return fc.option(
        value.map((text) => `${name}=${encodeURIComponent(text.toWellFormed())}`),
        { freq: 2 },
      );
    });
  const valid = fc.tuple(...described).map((all) => all.filter((each) => each !== null).join("&"));
  return mostly(15, valid, fc.constantFrom(...HOSTILE_QUERIES)).map((query) => (query === "" ? "" : `?${query}`));
}

/** Meaningful values by header. */
const MEANINGFUL: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "Idempotency-Key": fc.constantFrom(...KEYS).chain((key) => fc.constantFrom(key, `"${key}"`)),
  "If-Match": fc.constantFrom("*", '"00000000-1-open"', 'W/"00000000-1-open"'),
  "If-None-Match": fc.constantFrom("*", '"00000000-1-open"', 'W/"00000000-1-open"'),
  "Last-Event-ID": fc.nat(50).map(String),
};

function headersOf(operation: Operation, tokens: Tokens): fc.Arbitrary<Header[]> {
  const described = operation.parameters
    .filter((parameter) => parameter.in === "header")
    .map(({ name }) => headerOf(2, name, mostly(3, MEANINGFUL[name] ?? hostileValue, hostileValue)));
  const anyName = fc.constantFrom(...Object.keys(MEANINGFUL));
  const headers = [
    authorization(operation, tokens),
    ...described,
    headerOf(8, "Accept", mostly(10, fc.constantFrom(...ACCEPTS), hostileValue)),
    headerOf(4, "Content-Type", mostly(10, fc.constantFrom(...CONTENT_TYPES), hostileValue)),
    headerOf(10, "X-Request-Id", mostly(1, fc.uuid(), hostileValue)),
    rarely(15, fc.constantFrom(...HOSTILE_HEADERS.map((header): Header[] => [header]))),
    anyName.chain((name) => headerOf(15, name, hostileValue)),
  ];
  return fc.tuple(...headers).map((all) => all.flat());
}

/** Once in `times`; otherwise none. */
function rarely(times: number, headers: fc.Arbitrary<Header[]>): fc.Arbitrary<Header[]> {
  return mostly(times - 1, fc.constant([]), headers);
}

/** The header once in `times`, sometimes twice. */
function headerOf(times: number, name: string, values: fc.Arbitrary<string>): fc.Arbitrary<Header[]> {
  const headers = fc.array(values, { minLength: 1, maxLength: 2 }).map((all) => all.map((value): Header => [name, value]));
  return rarely(times, headers);
}

/** The valid header for the operation, and sometimes another one, or two. */
function authorization({ security }: Operation, { operator, ofUser, invalid }: Tokens): fc.Arbitrary<Header[]> {
  const asOperator = operator === undefined ? [] : bearer(operator);
  const isForUser = security.some((way) => "user" in way);
  const isForOperator = security.some((way) => "operator" in way);
  const users = ofUser === null ? [] : USER_IDS.slice(0, USERS_WITH_TOKEN).map((userId) => bearer(ofUser(userId)));
  const valid = isForUser && users.length > 0 ? fc.constantFrom(...users) : fc.constant(asOperator);
  const wrong = fc.oneof(
    fc.constantFrom([], asOperator),
    fc
      .constantFrom("", "Bearer", "Bearer ", "Basic Zm9vOmJhcg==", `bearer  ${operator ?? ""}`)
      .map((value): Header[] => [["Authorization", value]]),
    fc.constantFrom(...invalid).map(bearer),
    fc.constantFrom(...invalid).map((token) => asOperator.concat(bearer(token))),
  );
  return mostly(isForOperator ? 15 : isForUser ? 3 : 1, valid, wrong);
}

function bearer(token: string): Header[] {
  return [["Authorization", `Bearer ${token}`]];
}
