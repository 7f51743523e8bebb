// The OpenAPI 3.1 document. It is made from the same declarations that run.

import * as z from "zod";

import type { RefusalCode } from "../domain/refusals.ts";
import { HEADERS, HEADERS_OF_CODE, type HeaderName } from "./openapi-headers.ts";
import { exampleOf, recordOf, type Json } from "./openapi-examples.ts";
import { API_VERSION } from "../wire.ts";
import { FORM_TYPE, JSON_TYPE, NDJSON_TYPE } from "./media-types.ts";
import { patternOf } from "./path-pattern.ts";
import { REFUSALS, TOKEN_REQUIRED } from "./refusals.ts";
import { ok, route, type Route, type Success } from "./route.ts";
import { getHealth } from "./routes/service.ts";
import { NAMED_SCHEMAS, REFUSAL_DETAILS, RefusalFields } from "./openapi-schemas.ts";
import { bodyOf } from "./request.ts";
import { CouponName, UserId, WebhookId } from "./request-schemas.ts";
import { EVENTS, webhooksOf } from "./openapi-webhooks.ts";

const DESCRIPTION =
  "Flash-sale claims: exactly the stock, one each, no claim forgotten. Any other path answers 404 `not_found`, any other method on these 405 `method_not_allowed` with `Allow`, in the form of every refusal.";

const TAGS = {
  claims: "One unit for one user.",
  holds: "A unit that is kept for a user for a while.",
  coupons: "What is on offer: one sale of so many units.",
  backups: "A coupon as a file, and back.",
  live: "The state of a sale.",
  delivery: "How events reach the read model and webhook endpoints.",
  webhooks: "Endpoints of yours that get the events of coupons.",
  service: "Health, metrics, and this document.",
  [EVENTS]: "What a webhook endpoint of yours receives.",
} as const satisfies Record<Exclude<Route["tag"], "pages"> | typeof EVENTS, string>;

const SECURITY = {
  everybody: [],
  user: [{ user: [] }, { service: [] }, {}],
  user_or_operator: [{ user: [] }, { service: [] }, { operator: [] }, {}],
  operator: [{ operator: [] }],
} as const satisfies Record<Route["who"], readonly object[]>;

const PARAMS: Readonly<Record<string, z.ZodType>> = { name: CouponName, user_id: UserId, id: WebhookId };

/** Returns the route that serves the document. It describes itself too. The first request makes it. */
export function openApiRoute(described: readonly Route[]): Route {
  let document: Json | undefined;
  const self: Route = route({
    id: "getOpenApi",
    tag: "service",
    method: "GET",
    path: "/openapi.json",
    summary: "Get this document",
    who: "everybody",
    successes: { 200: { description: "OpenAPI 3.1.", content: { [JSON_TYPE]: z.record(z.string(), z.unknown()) } } },
    refusals: [],
    handle: () => ok(200, { json: (document ??= openApiDocument([...described, self])) }),
  });
  return self;
}

function openApiDocument(routes: readonly Route[]): Json {
  const schemas = { ...componentSchemas(), ...refusalSchemas(routes) };
  const paths = Map.groupBy(routes, ({ path }) => path);
  return {
    openapi: "3.1.0",
    info: { title: "Doorbuster", version: API_VERSION, description: DESCRIPTION, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(
      Array.from(paths, ([path, onPath]) => [
        path,
        Object.fromEntries(onPath.map((one) => [one.method.toLowerCase(), operation(one, schemas)])),
      ]),
    ),
    webhooks: webhooksOf((data) => content(JSON_TYPE, schemaOf(data), schemas)),
    components: {
      schemas,
      headers: HEADERS,
      securitySchemes: {
        operator: { type: "http", scheme: "bearer", description: "The admin token." },
        user: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A token whose sub is the user, where identity is configured. None is needed with IDENTITY=off.",
        },
        service: { type: "http", scheme: "bearer", description: "The service token of a back end, which acts for any user." },
      },
    },
  };
}

function operation(declared: Route, schemas: Json): Json {
  const { id, tag, summary, description, who, body } = declared;
  const bodyType = body?.isForm === true ? FORM_TYPE : body?.isText === true ? NDJSON_TYPE : JSON_TYPE;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[who],
    parameters: parametersOf(declared),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [bodyType]: content(bodyType, schemaOf(body.schema), schemas) } } }),
    responses: { ...successResponses(declared, schemas), ...refusalResponses(declared, schemas) },
  };
}

/** Returns the refusals that a route lists, and those that the rest of its declaration implies. */
function refusalsOf(declared: Route): RefusalCode[] {
  const { id, refusals, who, path, method, query, isRateLimited, needsChallenge, isConditional } = declared;
  const codes = new Set<RefusalCode>([...refusals, "internal_error"]);
  if (id !== getHealth.id) codes.add("misconfigured");
  const isStored = path.startsWith("/api/");
  if (who === "operator" || query !== undefined || method !== "GET") codes.add("invalid_request");
  if (bodyOf(declared) !== undefined) codes.add("payload_too_large");
  if (who !== "everybody") codes.add("unauthorized");
  if (who === "user" || who === "user_or_operator") codes.add("forbidden");
  if (isRateLimited === true) codes.add("rate_limited");
  if (needsChallenge === true) codes.add("challenge_failed");
  if (isConditional === true) codes.add("precondition_failed");
  if (isStored) codes.add("unavailable");
  if (path.startsWith("/api/coupons/")) codes.add("coupon_not_found");
  if (isStored && method !== "GET") codes.add("outcome_unknown").add("origin_not_allowed");
  return [...codes];
}

function parametersOf({
  path,
  method,
  who,
  query = {},
  needsChallenge,
  takesIdempotencyKey,
  isConditional,
  requestHeaders = [],
}: Route): Json[] {
  const inPath = patternOf(path).params.map(({ name }) => ({
    name,
    in: "path",
    required: true,
    schema: schemaOf(PARAMS[name] ?? z.string()),
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({
    name,
    in: "query",
    required: !schema.safeParse(undefined).success,
    schema: schemaOf(schema),
  }));
  const headers = [
    ...(takesIdempotencyKey === true ? ["Idempotency-Key"] : []),
    ...(needsChallenge === true ? ["Turnstile-Token"] : []),
    ...(isConditional === true ? ["If-Match", "If-None-Match"] : []),
    ...requestHeaders,
    ...(method !== "GET" && (who === "operator" || who === "user_or_operator") ? ["X-Actor"] : []),
  ];
  const inHeader = headers.map((name) => ({ name, in: "header", required: false, schema: { type: "string" } }));
  return [...inPath, ...inQuery, ...inHeader];
}

function successResponses({ successes, method, isConditional }: Route, schemas: Json): Json {
  const responses = Object.entries<Success>(successes).map(([status, { description, content: types = {}, headers }]) => {
    const bodies = Object.entries(types).map(([type, schema]) => [type, content(type, schemaOf(schema), schemas)] as const);
    return [status, response(description, Object.fromEntries(bodies), headers)] as const;
  });
  const isRevalidated = isConditional === true && method === "GET";
  return {
    ...Object.fromEntries(responses),
    ...(isRevalidated ? { 304: response("Unchanged: the ETag is in If-None-Match.", {}, successes[200]?.headers ?? []) } : {}),
  };
}

/** Returns one response for each status, with all its codes. */
function refusalResponses(declared: Route, schemas: Json): Json {
  const byStatus = Map.groupBy(refusalsOf(declared), (code) => REFUSALS[code].status);
  return Object.fromEntries(Array.from(byStatus, ([status, ofStatus]) => [status, refusalResponse(declared, ofStatus, schemas)]));
}

function refusalResponse({ who }: Route, codes: readonly RefusalCode[], schemas: Json): Json {
  const sentenceOf = (code: RefusalCode): string =>
    code === "unauthorized" ? TOKEN_REQUIRED[who === "operator" ? "operator" : "user"] : REFUSALS[code].error;
  const mapping = Object.fromEntries(codes.map((code) => [code, refTo(schemaNameOf(code))]));
  const refs = Object.values(mapping).map(($ref) => ({ $ref }));
  const schema = refs.length === 1 ? refs[0] : { oneOf: refs, discriminator: { propertyName: "code", mapping } };
  const examples = codes.map((code) => {
    const value = { ...recordOf(exampleOf(schemas[schemaNameOf(code)], schemas)), error: sentenceOf(code) };
    return [code, { value }] as const;
  });
  const headers = new Set(codes.flatMap((code) => HEADERS_OF_CODE[code] ?? []));
  const description = codes.map((code) => `\`${code}\`: ${sentenceOf(code)}`).join("; ");
  return response(description, { [JSON_TYPE]: { schema, examples: Object.fromEntries(examples) } }, Array.from(headers));
}

/** Returns a schema for each refusal. So a generated client knows the codes of each operation. */
function refusalSchemas(routes: readonly Route[]): Json {
  const codes = Array.from(new Set(routes.flatMap(refusalsOf)), (code) => {
    const details = REFUSAL_DETAILS[code] ?? z.object({});
    const error = RefusalFields.shape.error.meta({ examples: [REFUSALS[code].error] });
    return [schemaNameOf(code), schemaOf(RefusalFields.extend({ error, code: z.literal(code), ...details.shape }))] as const;
  });
  return Object.fromEntries(codes);
}

/** `out_of_stock` as `OutOfStock`. */
function schemaNameOf(code: RefusalCode): string {
  return code.replaceAll(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function response(description: string, bodies: Json, headers: readonly HeaderName[] = []): Json {
  const refs = ["X-Request-Id", "Coupon-Seq", ...headers].map((name) => [name, { $ref: `#/components/headers/${name}` }]);
  return { description, headers: Object.fromEntries(refs), ...(Object.keys(bodies).length === 0 ? {} : { content: bodies }) };
}

function content(type: string, schema: Json, schemas: Json): Json {
  // A stream's schema describes one message or line, so it gives no example of the whole body.
  return type === JSON_TYPE ? { schema, example: exampleOf(schema, schemas) } : { schema };
}

/** Returns a reference to a named schema, or else the schema itself. */
function schemaOf(schema: z.ZodType): Json {
  const [name] = Object.entries(NAMED_SCHEMAS).find(([, named]) => named === schema) ?? [];
  if (name !== undefined) return { $ref: refTo(name) };
  return bare(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

/** Returns all named schemas: bodies as callers send them, and answers as the API returns them. */
function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: "input", unrepresentable: "any", uri: refTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, bare(schema)]));
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Returns the schema without the fields that name its dialect and place. */
function bare({ $schema: _dialect, $id: _id, "~standard": _standard, ...schema }: Json): Json {
  return schema;
}
