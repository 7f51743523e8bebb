// The OpenAPI 3.1 document, made from what the routes say of themselves and from the zod schemas.

import * as z from "zod";

import type { RefusalCode } from "../domain/refusals.ts";
import { REFUSALS } from "./refusals.ts";
import type { Route } from "./route.ts";
import { CouponName, NAMED_SCHEMAS, type SchemaName } from "./schemas.ts";

/** The version of the HTTP interface; the package's version. */
export const API_VERSION = "0.1.0";

type Json = Record<string, unknown>;

/** The response headers, as the document describes them. */
const HEADERS = {
  "X-Request-Id": { description: "Names this request: as the caller did, if it sent a usable name.", schema: { type: "string" } },
  "Coupon-Seq": {
    description: "The coupon's ledger head when the answer was computed; on every answer of its object.",
    schema: { type: "integer" },
  },
  "Idempotent-Replayed": { description: "true where the same key was granted before.", schema: { const: "true" } },
  "Retry-After": { description: "Seconds.", schema: { type: "integer" } },
  "WWW-Authenticate": { description: "How to authenticate.", schema: { type: "string" } },
  Location: { description: "Where the coupon is.", schema: { type: "string" } },
  Allow: { description: "The methods that the path takes.", schema: { type: "string" } },
} as const;
export type HeaderName = keyof typeof HEADERS;

const HEADERS_OF_CODE: Partial<Record<RefusalCode, HeaderName>> = {
  sale_not_started: "Retry-After",
  unavailable: "Retry-After",
  outcome_unknown: "Retry-After",
  unauthorized: "WWW-Authenticate",
};

/** What any route can answer besides what it lists. */
const REFUSALS_OF_ALL = ["internal_error"] as const satisfies readonly RefusalCode[];

/** The document of `routes`. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths = Map.groupBy(routes, ({ path }) => path);
  return {
    openapi: "3.1.0",
    info: {
      title: "Doorbuster",
      version: API_VERSION,
      description: "Flash-sale claims: exactly the stock, one each, no claim forgotten.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths: Object.fromEntries(
      Array.from(paths, ([path, onPath]) => [path, Object.fromEntries(onPath.map((route) => [route.method, operation(route)]))]),
    ),
    components: {
      schemas: componentSchemas(),
      headers: HEADERS,
      securitySchemes: { operator: { type: "http", scheme: "bearer", description: "The admin token." } },
    },
  };
}

function operation(route: Route): Json {
  const refusals = [...route.refusals, ...REFUSALS_OF_ALL, ...(route.who === "operator" ? (["unauthorized"] as const) : [])];
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.who === "operator" ? { security: [{ operator: [] }] } : {}),
    parameters: parameters(route),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(ref(route.body)) } }),
    responses: {
      [route.answers.status]: response(
        route.answers.description,
        route.answers.schema === undefined ? { type: "object" } : ref(route.answers.schema),
        route.answers.headers,
      ),
      ...refusalResponses(refusals),
    },
  };
}

function operationId({ method, path }: Route): string {
  const words = path.split(/[^a-z]+/i).filter((word) => word !== "" && word !== "api");
  return [method, ...words].map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
}

function parameters({ path, headers = [] }: Route): Json[] {
  const textSchema = bare(z.toJSONSchema(CouponName));
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({ name, in: "path", required: true, schema: textSchema }));
  const inHeader = headers.map((name) => ({
    name,
    in: "header",
    required: false,
    schema: { type: "string", minLength: 1, maxLength: 257 },
  }));
  return [...inPath, ...inHeader];
}

/** One response a status, which names the codes that it stands for. */
function refusalResponses(codes: readonly RefusalCode[]): Json {
  const byStatus = Map.groupBy(codes, (code) => REFUSALS[code].status);
  return Object.fromEntries(Array.from(byStatus, ([status, codesOfStatus]) => [status, refusalResponse(codesOfStatus)]));
}

function refusalResponse(codes: readonly RefusalCode[]): Json {
  const description = codes.map((code) => `\`${code}\`: ${REFUSALS[code].error}`).join("; ");
  const schema = { allOf: [ref("Refusal"), { type: "object", properties: { code: { enum: codes } } }] };
  return response(
    description,
    schema,
    codes.flatMap((code) => HEADERS_OF_CODE[code] ?? []),
  );
}

function response(description: string, schema: Json, headers: readonly HeaderName[] = []): Json {
  const refs = ["X-Request-Id", "Coupon-Seq", ...headers].map((name) => [name, { $ref: `#/components/headers/${name}` }]);
  return { description, headers: Object.fromEntries(refs), content: json(schema) };
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
