// The OpenAPI 3.1 document, made from what the routes say of themselves and from the zod schemas.

import * as z from "zod";

import type { RefusalCode } from "../domain/refusals.ts";
import { REFUSALS } from "./refusals.ts";
import type { Route, Success } from "./route.ts";
import { CouponName, NAMED_SCHEMAS, UserId, type SchemaName } from "./schemas.ts";

/** The version of the HTTP interface; the package's version. */
export const API_VERSION = "0.1.0";

type Json = Record<string, unknown>;

/** The response headers, as the document describes them. One that is required is on every answer of a status that names it. */
const HEADERS = {
  "X-Request-Id": {
    description: "Names this request: as the caller did, if it sent a usable name.",
    required: true,
    schema: { type: "string" },
  },
  "Coupon-Seq": {
    description: "The coupon's ledger head when the answer was computed; on every answer of its object.",
    schema: { type: "integer" },
  },
  "Served-By": {
    description: "edge where an isolate refused by a certificate of the coupon's object; Coupon-Seq is then that of the certificate.",
    schema: { const: "edge" },
  },
  "Idempotent-Replayed": { description: "true where the same key was granted before.", schema: { const: "true" } },
  "Retry-After": { description: "Seconds.", schema: { type: "integer" } },
  "WWW-Authenticate": { description: "How to authenticate.", required: true, schema: { type: "string" } },
  Location: { description: "Where the coupon is.", required: true, schema: { type: "string" } },
  ETag: { description: "Another one whenever what is shown has changed.", required: true, schema: { type: "string" } },
  RateLimit: {
    description: "What is left of the policy (draft-ietf-httpapi-ratelimit-headers-10).",
    required: true,
    schema: { type: "string" },
  },
  "RateLimit-Policy": { description: "How many requests in how many seconds.", required: true, schema: { type: "string" } },
} as const;
export type HeaderName = keyof typeof HEADERS;

const HEADERS_OF_CODE: Partial<Record<RefusalCode, readonly HeaderName[]>> = {
  sale_not_started: ["Retry-After", "Served-By"],
  rate_limited: ["Retry-After", "RateLimit", "RateLimit-Policy"],
  unavailable: ["Retry-After"],
  outcome_unknown: ["Retry-After"],
  unauthorized: ["WWW-Authenticate"],
  out_of_stock: ["Served-By"],
  sale_ended: ["Served-By"],
  sale_paused: ["Served-By"],
};

/** The document of `routes`. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths = Map.groupBy(routes, ({ path }) => path);
  return {
    openapi: "3.1.0",
    info: {
      title: "Doorbuster",
      version: API_VERSION,
      description:
        "Flash-sale claims: exactly the stock, one each, no claim forgotten. Any other path answers 404 `not_found`, any other method on these 405 `method_not_allowed` with `Allow`; both in the form of Refusal.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths: Object.fromEntries(
      Array.from(paths, ([path, onPath]) => [path, Object.fromEntries(onPath.map((route) => [route.method, operation(route)]))]),
    ),
    components: {
      schemas: componentSchemas(),
      headers: HEADERS,
      securitySchemes: {
        operator: { type: "http", scheme: "bearer", description: "The admin token." },
        user: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A token whose sub is the user, where identity is configured.",
        },
      },
    },
  };
}

function operation(route: Route): Json {
  const security = { everybody: [], user: [{}, { user: [] }], operator: [{ operator: [] }] }[route.who];
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security,
    parameters: parameters(route),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(ref(route.body)) } }),
    responses: {
      ...Object.fromEntries(route.answers.map((success) => [success.status, successResponse(success)])),
      ...refusalResponses(refusalsOf(route)),
    },
  };
}

/** What the route lists, and what follows from its body, its callers, and its asking an object. */
function refusalsOf({ refusals, who, body, path }: Route): RefusalCode[] {
  const implied: RefusalCode[] = [...refusals, "internal_error"];
  if (body !== undefined) implied.push("invalid_request", "payload_too_large");
  if (who !== "everybody") implied.push("unauthorized");
  if (who === "user") implied.push("forbidden");
  if (path.startsWith("/api/")) implied.push("unavailable");
  return Array.from(new Set(implied));
}

function successResponse({ status, description, schema, mediaTypes, headers }: Success): Json {
  const content = status === 204 || status === 304 ? undefined : contentOf(schema, mediaTypes ?? ["application/json"]);
  return response(description, content, headers);
}

/** JSON as its schema says, everything else as text. */
function contentOf(schema: SchemaName | undefined, mediaTypes: readonly string[]): Json {
  const jsonSchema = schema === undefined ? { type: "object" } : ref(schema);
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: type === "application/json" ? jsonSchema : { type: "string" } }]));
}

function operationId({ method, path }: Route): string {
  const words = path.split(/[^a-z]+/i).filter((word) => word !== "" && word !== "api");
  return [method, ...words].map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
}

function parameters({ path, headers = [], query = {} }: Route): Json[] {
  const schemas: Record<string, Json> = { name: bare(z.toJSONSchema(CouponName)), user_id: bare(z.toJSONSchema(UserId)) };
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({ name, in: "path", required: true, schema: schemas[name ?? ""] }));
  const inHeader = headers.map((name) => ({
    name,
    in: "header",
    required: false,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
  return [...inPath, ...inQuery, ...inHeader];
}

/** One response a status, which names the codes that it stands for. */
function refusalResponses(codes: readonly RefusalCode[]): Json {
  const byStatus = Map.groupBy(codes, (code) => REFUSALS[code].status);
  return Object.fromEntries(Array.from(byStatus, ([status, codesOfStatus]) => [status, refusalResponse(codesOfStatus)]));
}

function refusalResponse(codes: readonly RefusalCode[]): Json {
  const description = codes.map((code) => `\`${code}\`: ${REFUSALS[code].error}`).join("; ");
  const schema = { allOf: [ref("Refusal"), { type: "object", properties: { code: { enum: codes } } }] };
  const headers = new Set(codes.flatMap((code) => HEADERS_OF_CODE[code] ?? []));
  return response(description, json(schema), Array.from(headers));
}

function response(description: string, content: Json | undefined, headers: readonly HeaderName[] = []): Json {
  const refs = ["X-Request-Id", "Coupon-Seq", ...headers].map((name) => [name, { $ref: `#/components/headers/${name}` }]);
  return { description, headers: Object.fromEntries(refs), ...(content === undefined ? {} : { content }) };
}

function json(schema: Json): Json {
  return { "application/json": { schema } };
}

function ref(name: SchemaName): Json {
  return { $ref: refTo(name) };
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Every named schema; bodies as they are sent, answers as they are given. */
function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: "input", unrepresentable: "any", uri: refTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, bare(schema)]));
}

/** The schema without what says where it stands: the document says that. */
function bare({ $schema: _dialect, $id: _id, ...schema }: Json): Json {
  return schema;
}
