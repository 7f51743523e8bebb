// Whether an answer is one that the OpenAPI document describes for its request, and leaks no internals.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

import { nameOf, operationsOf, resolved, targetsOf, type Document, type RequestTarget, type Response } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { objectIn, streamFault } from "./streams.ts";
import type { Tokens } from "./tokens.ts";

/** Returns what is wrong with the answer to a request, or null. */
export type AnswerCheck = (request: FuzzRequest, answer: FuzzAnswer) => string | null;

type Documented = {
  readonly content: ReadonlyMap<string, ValidateFunction>;
  readonly headers: ReadonlyMap<string, { readonly isRequired: boolean; readonly validate: ValidateFunction }>;
};
type Compile = (schema: object) => ValidateFunction;

/** HTTP's own headers, and those of every path. The document need not name them. */
const GENERAL_HEADERS: ReadonlySet<string> = new Set(
  "allow cache-control connection content-length content-type date keep-alive transfer-encoding x-accel-buffering".split(" "),
);

/** Words of the implementation. `at x (` is a line of a stack. */
const INTERNALS =
  /\bat (?:async )?\S+ \(|\bat [^\s"]+:\d+:\d+|\.[jt]s\b|stack|sqlite|select |insert |update |constraint|no such table|durable|workerd|cloudflare|isolate|zod|hono|jsrpc|unexpected token|TypeError|RangeError|undefined|\[object/i;

const USABLE_REQUEST_ID = /^[\x21-\x7e]{1,255}$/;

/** Makes the check of all answers of a server with this document. */
export function answerCheck(document: Document): AnswerCheck {
  const operations = operationsOf(document);
  const compile = compilerOf(document);
  const documented = new Map<string, Documented>(
    operations.flatMap(({ operationId, responses }) =>
      Object.entries(responses).map(([status, response]) => [`${operationId} ${status}`, compiled(document, response, compile)] as const),
    ),
  );
  for (const [status, answer] of answersWithoutRoute(compile)) documented.set(status, answer);
  const isStatus = compile({ $ref: "#/components/schemas/Status" });

  function faultAt(at: RequestTarget, request: FuzzRequest, answer: FuzzAnswer): string | null {
    const where = nameOf(at);
    if (at.is === "page" || (at.is === "no such path" && answer.status === 404 && isHtml(answer))) return pageFault(where, answer);
    const expected = documented.get(`${where} ${answer.status}`);
    if (expected === undefined) return `status ${answer.status} is not documented (${where})`;
    const fault = headerFault(expected, answer) ?? bodyFault(expected, request, answer, isStatus) ?? subjectFault(at, request, answer);
    return fault === null ? null : `${fault} (${where}, ${answer.status})`;
  }

  return (request, answer) => {
    if (answer.status >= 500) return `status ${answer.status}`;
    const fault = requestIdFault(request, answer) ?? leakFault(answer);
    if (fault !== null) return fault;
    const faults = targetsOf(operations, request.method, request.target).map((at) => faultAt(at, request, answer));
    return faults.includes(null) ? null : (faults[0] ?? null);
  };
}

/** A user's data and units go only to a request with that user's token or the operator's. */
export function accessCheck(document: Document, { operator, ofUser }: Tokens): AnswerCheck {
  const operations = operationsOf(document);
  return ({ method, target, headers }, { status, body }) => {
    const [at] = targetsOf(operations, method, target);
    if (ofUser === null || status >= 300 || at?.is !== "operation" || !at.operation.security.some((way) => "user" in way)) return null;
    const returned = objectIn(body)?.["user_id"];
    const user = typeof returned === "string" ? returned : (at.parameters["user_id"] ?? "");
    const sent = headers.filter(([name]) => name === "Authorization").map(([, value]) => value);
    const isAllowed = [ofUser(user), operator ?? ""].some((token) => sent.some((value) => value.endsWith(` ${token}`)));
    return isAllowed ? null : "served without this user's token";
  };
}

/** Schemas of the document, closed: a field that it does not name is a fault. */
function compilerOf({ components }: Document): Compile {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, validateFormats: true });
  addFormats(ajv);
  // A discriminator adds nothing to its `oneOf`.
  ajv.addVocabulary(["components", "discriminator"]);
  return (schema) => {
    const isObject = "$ref" in schema || "oneOf" in schema || "properties" in schema;
    return ajv.compile({ ...schema, ...(isObject ? { unevaluatedProperties: false } : {}), components });
  };
}

function compiled(document: Document, { headers = {}, content = {} }: Response, compile: Compile): Documented {
  return {
    content: new Map(Object.entries(content).map(([mediaType, { schema }]) => [mediaType, compile(schema)])),
    headers: new Map(
      Object.entries(headers).map(([name, header]) => {
        const { required = false, schema } = resolved(document, header);
        return [name.toLowerCase(), { isRequired: required, validate: compile(schema) }];
      }),
    ),
  };
}

function isHtml({ headers }: FuzzAnswer): boolean {
  return headers["content-type"] === "text/html; charset=utf-8";
}

/** A page is HTML that loads files of its own server alone, or a redirect to a page. Only a 405, and `/` for who asks, are JSON. */
function pageFault(where: string, answer: FuzzAnswer): string | null {
  const { status, headers, body } = answer;
  if (status === 303) return /^\/(?:s|operator)(?:\/|\?|$)/.test(String(headers["location"])) ? null : `${where} redirects elsewhere`;
  if (status === 405 || (status === 200 && headers["content-type"] === "application/json")) return null;
  if (!isHtml(answer) || ![200, 400, 401, 403, 404, 413, 422, 429].includes(status)) return `${where} answers ${status}, not a page`;
  if (!String(headers["content-security-policy"]).startsWith("default-src 'none'; script-src 'self'")) return `${where} may load anything`;
  return body === "" || body.startsWith("<!doctype html>") ? null : `${where} is no document`;
}

/** Every path without a route is answered 404, and every path without the method 405. */
function answersWithoutRoute(compile: Compile): ReadonlyMap<string, Documented> {
  const text = compile({ type: "string" });
  const refusal = (code: string, ...headers: readonly string[]): Documented => {
    const properties = { error: { type: "string" }, code: { const: code }, request_id: { type: "string" } };
    const body = compile({ type: "object", properties, required: Object.keys(properties) });
    const required = ["x-request-id", ...headers].map((name) => [name, { isRequired: true, validate: text }] as const);
    return { content: new Map([["application/json", body]]), headers: new Map(required) };
  };
  return new Map([
    ["no such path 404", refusal("not_found")],
    ["no such method 405", refusal("method_not_allowed", "allow")],
  ]);
}

/** Every answer has a request id: the caller's, if that is usable. */
function requestIdFault({ headers }: FuzzRequest, answer: FuzzAnswer): string | null {
  const id = answer.headers["x-request-id"];
  if (typeof id !== "string" || !USABLE_REQUEST_ID.test(id)) return "no X-Request-Id";
  const sent = headers.filter(([header]) => header.toLowerCase() === "x-request-id").map(([, value]) => value);
  const [first = ""] = sent;
  return sent.length === 1 && USABLE_REQUEST_ID.test(first) && first !== id ? "X-Request-Id is not the caller's" : null;
}

/** Searches every header and refusal, except the parts that repeat the caller's texts. */
export function leakFault({ status, headers, body }: FuzzAnswer): string | null {
  const { "x-request-id": _id, location: _location, "content-disposition": _fileName, ...ownHeaders } = headers;
  const { request_id: _requestId, claim: _claim, ...ownBody } = objectIn(body) ?? { body };
  const texts = [JSON.stringify(ownHeaders), status >= 400 ? JSON.stringify(ownBody) : ""];
  const leaked = texts.map((text) => INTERNALS.exec(text)).find((match) => match !== null);
  return leaked === undefined ? null : `it leaks internals: ${leaked[0]}`;
}

function headerFault({ headers }: Documented, answer: FuzzAnswer): string | null {
  for (const [name, { isRequired, validate }] of headers) {
    const value = answer.headers[name];
    if (value === undefined && isRequired) return `no header ${name}`;
    if (value !== undefined && !validate(value) && !validate(Number(value))) return `header ${name} is "${String(value)}"`;
  }
  const unknown = Object.keys(answer.headers).find((name) => !headers.has(name) && !GENERAL_HEADERS.has(name));
  return unknown === undefined ? null : `header ${unknown} is not documented`;
}

function bodyFault({ content }: Documented, { method }: FuzzRequest, answer: FuzzAnswer, isStatus: ValidateFunction): string | null {
  const { body, headers } = answer;
  if (content.size === 0) return body === "" && headers["content-type"] === undefined ? null : "an undocumented body";
  const mediaType = String(headers["content-type"]).split(";")[0] ?? "";
  const validate = content.get(mediaType);
  if (validate === undefined) return `content type ${mediaType} is not documented`;
  if (method === "HEAD") return body === "" ? null : "a body to a HEAD";
  if (mediaType !== "application/json") return streamFault(mediaType, body, { isStatus, isLine: validate });
  const value = objectIn(body);
  if (value === null) return "the body is not a JSON object";
  if (!validate(value)) {
    const [error] = validate.errors ?? [];
    return `the body does not fit its schema: ${error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}`;
  }
  return answer.status >= 400 && value["request_id"] !== headers["x-request-id"] ? "request_id is not X-Request-Id" : null;
}

/** The pseudonym of an erased user. */
const PSEUDONYM = /^erased:[0-9a-f]{32}$/;

/** A success is about the coupon and the user that the path names, or about the pseudonym of an erased one. */
function subjectFault(at: RequestTarget, { method }: FuzzRequest, { status, body }: FuzzAnswer): string | null {
  if (at.is !== "operation" || status >= 300 || method === "HEAD") return null;
  const { name, user_id: userId } = at.parameters;
  if (name === null || userId === null) return "a success for a name that cannot be decoded";
  const returned = objectIn(body);
  const subjects = [
    [name, returned?.["coupon_name"] ?? returned?.["name"]],
    [userId, PSEUDONYM.test(String(returned?.["user_id"])) ? undefined : returned?.["user_id"]],
  ];
  const wrong = subjects.find(([asked, got]) => asked !== undefined && got !== undefined && got !== asked);
  return wrong === undefined ? null : `an answer about ${JSON.stringify(wrong[1])}`;
}
