// Whether an answer is one that the document foretells for its request, and says nothing of how it is made.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

import { aimsOf, operationsOf, resolved, type Aim, type Document, type Operation, type Response } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";
import { objectIn, streamFault, type Parts } from "./streams.ts";
import type { Tokens } from "./tokens.ts";

/** Answers what is wrong with the answer to a request, or null. */
export type AnswerCheck = (request: FuzzRequest, answer: FuzzAnswer) => string | null;

/** One answer that the document foretells. */
type Foretold = {
  readonly content: ReadonlyMap<string, ValidateFunction>;
  readonly headers: ReadonlyMap<string, { readonly isRequired: boolean; readonly validate: ValidateFunction }>;
};
type Compile = (schema: object) => ValidateFunction;

/** What HTTP itself uses, and the README promises for every path; the document need not name them. */
const GENERAL_HEADERS = new Set([
  "allow",
  "cache-control",
  "connection",
  "content-length",
  "content-type",
  "date",
  "keep-alive",
  "transfer-encoding",
  "x-accel-buffering",
]);

/** Words of our insides; `at x (` is a line of a stack. */
const INSIDES =
  /\bat \S+ \(|\bat .*:\d+:\d+|\.[jt]s\b|stack|sqlite|select |insert |update |constraint|no such table|durable|workerd|cloudflare|isolate|zod|hono|jsrpc|unexpected token|TypeError|RangeError|undefined|\[object/i;

const USABLE_REQUEST_ID = /^[\x21-\x7e]{1,255}$/;

/** Makes the check of all answers of the server that told `document`. */
export function answerCheck(document: Document): AnswerCheck {
  const operations = operationsOf(document);
  const compile = compilerOf(document);
  const foretold = new Map(operations.map((operation) => [operation.operationId, answersOf(document, operation, compile)]));
  const general = generalAnswers(compile);
  const isStatus = compile({ $ref: "#/components/schemas/Status" });
  const isReceipt = compile({ $ref: "#/components/schemas/Receipt" });

  function faultAs(aim: Aim, request: FuzzRequest, answer: FuzzAnswer): string | null {
    const expected =
      aim.at === "operation" ? foretold.get(aim.operation.operationId)?.get(answer.status) : general.get(`${aim.at} ${answer.status}`);
    const where = aim.at === "operation" ? aim.operation.operationId : aim.at === "nowhere" ? "no such path" : "no such method";
    if (expected === undefined) return `status ${answer.status} is not documented (${where})`;
    const fault =
      headerFault(expected, answer) ?? bodyFault(expected, request, answer, { isStatus, isReceipt }) ?? aboutFault(aim, request, answer);
    return fault === null ? null : `${fault} (${where}, ${answer.status})`;
  }

  return (request, answer) => {
    if (answer.status >= 500) return `status ${answer.status}`;
    const fault = nameFault(request, answer) ?? leakFault(answer);
    if (fault !== null) return fault;
    const faults = aimsOf(operations, request.method, request.target).map((aim) => faultAs(aim, request, answer));
    return faults.includes(null) ? null : (faults[0] ?? null);
  };
}

/** Where users are known by tokens: whoever is shown what a user has, or gets it, sent that user's token or the operator's. */
export function strangerCheck(document: Document, { operator, ofUser }: Tokens): AnswerCheck {
  const operations = operationsOf(document);
  return ({ method, target, headers }, { status, body }) => {
    const [aim] = aimsOf(operations, method, target);
    if (ofUser === null || status >= 300 || aim?.at !== "operation" || !aim.operation.security.some((way) => "user" in way)) return null;
    const told = objectIn(body)?.["user_id"];
    const user = typeof told === "string" ? told : (aim.named["user_id"] ?? "");
    const sent = headers.filter(([name]) => name === "Authorization").map(([, value]) => value);
    const isKnown = [ofUser(user), operator ?? ""].some((token) => sent.some((value) => value.endsWith(` ${token}`)));
    return isKnown ? null : "a stranger was served";
  };
}

/** Schemas of the document, closed: a field that it does not name is a fault. */
function compilerOf({ components }: Document): Compile {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, validateFormats: true });
  addFormats(ajv);
  ajv.addVocabulary(["components", "discriminator"]);
  return (schema) => {
    const isNamed = "$ref" in schema || "oneOf" in schema || "properties" in schema;
    return ajv.compile({ ...schema, ...(isNamed ? { unevaluatedProperties: false } : {}), components });
  };
}

function answersOf(document: Document, { responses }: Operation, compile: Compile): ReadonlyMap<number, Foretold> {
  return new Map(Object.entries(responses).map(([status, response]) => [Number(status), foretoldBy(document, response, compile)]));
}

function foretoldBy(document: Document, { headers = {}, content = {} }: Response, compile: Compile): Foretold {
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

/** What the README says of every path: 404 where there is no route, 405 where there is none for the method. */
function generalAnswers(compile: Compile): ReadonlyMap<string, Foretold> {
  const text = compile({ type: "string" });
  const refusal = (code: string, ...headers: readonly string[]): Foretold => ({
    content: new Map([
      [
        "application/json",
        compile({
          type: "object",
          properties: { error: { type: "string" }, code: { const: code }, request_id: { type: "string" } },
          required: ["error", "code", "request_id"],
        }),
      ],
    ]),
    headers: new Map(["x-request-id", ...headers].map((name) => [name, { isRequired: true, validate: text }])),
  });
  return new Map([
    ["nowhere 404", refusal("not_found")],
    ["other_method 405", refusal("method_not_allowed", "allow")],
  ]);
}

/** Every answer names its request: as the caller did, where that is a name. */
function nameFault({ headers }: FuzzRequest, answer: FuzzAnswer): string | null {
  const name = answer.headers["x-request-id"];
  if (typeof name !== "string" || !USABLE_REQUEST_ID.test(name)) return "no X-Request-Id";
  const sent = headers.filter(([header]) => header.toLowerCase() === "x-request-id").map(([, value]) => value);
  const [own = ""] = sent;
  return sent.length === 1 && USABLE_REQUEST_ID.test(own) && own !== name ? "X-Request-Id is not the caller's" : null;
}

/**
 * What a refusal says, but for what it only repeats, and every header. The texts of other answers are those that somebody
 * sent, or are held to a format by their schema.
 */
export function leakFault({ status, headers, body }: FuzzAnswer): string | null {
  const { "x-request-id": _id, location: _location, ...told } = headers;
  const leaked = INSIDES.exec(JSON.stringify(told)) ?? (status >= 400 ? INSIDES.exec(withoutEchoes(body)) : null);
  return leaked === null ? null : `it tells of its insides: ${leaked[0]}`;
}

function withoutEchoes(body: string): string {
  const refusal = objectIn(body);
  if (refusal === null) return body;
  const { request_id: _id, claim: _claim, ...said } = refusal;
  return JSON.stringify(said);
}

function headerFault({ headers }: Foretold, answer: FuzzAnswer): string | null {
  for (const [name, { isRequired, validate }] of headers) {
    const value = answer.headers[name];
    if (value === undefined && isRequired) return `no header ${name}`;
    if (value !== undefined && !validate(value) && !validate(Number(value))) return `header ${name} is "${String(value)}"`;
  }
  const unknown = Object.keys(answer.headers).find((name) => !headers.has(name) && !GENERAL_HEADERS.has(name));
  return unknown === undefined ? null : `header ${unknown} is not documented`;
}

function bodyFault({ content }: Foretold, { method }: FuzzRequest, answer: FuzzAnswer, parts: Parts): string | null {
  const { body, headers } = answer;
  if (content.size === 0) return body === "" && headers["content-type"] === undefined ? null : "a body where there is none";
  const mediaType = String(headers["content-type"]).split(";")[0] ?? "";
  const validate = content.get(mediaType);
  if (validate === undefined) return `content type ${mediaType} is not documented`;
  if (method === "HEAD") return body === "" ? null : "a body to a HEAD";
  if (mediaType !== "application/json") return streamFault(mediaType, body, parts);
  const value = objectIn(body);
  if (value === null) return "the body is no JSON object";
  if (!validate(value)) return `the body does not fit its schema: ${faultOf(validate)}`;
  if (answer.status >= 400 && value["request_id"] !== headers["x-request-id"]) return "request_id is not X-Request-Id";
  return null;
}

function faultOf({ errors }: ValidateFunction): string {
  const [error] = errors ?? [];
  return `${error?.instancePath ?? ""} ${error?.message ?? ""} ${JSON.stringify(error?.params)}`.trim();
}

/** An answer is about the coupon and the user that the path names. */
function aboutFault(aim: Aim, { method }: FuzzRequest, { status, body }: FuzzAnswer): string | null {
  if (aim.at !== "operation" || status >= 300 || method === "HEAD") return null;
  const { name, user_id: userId } = aim.named;
  if (name === null || userId === null) return "an answer about a name that can't be read";
  const told = objectIn(body);
  const toldName = told?.["coupon_name"] ?? told?.["name"];
  if (name !== undefined && toldName !== undefined && toldName !== name) return `an answer about ${JSON.stringify(toldName)}`;
  const toldUser = told?.["user_id"];
  return userId !== undefined && toldUser !== undefined && toldUser !== userId ? `an answer about ${JSON.stringify(toldUser)}` : null;
}
