// The OpenAPI document: it says what is served, and what is served is what it says.

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { createApp } from "../../../src/http/app.ts";
import { NAMED_SCHEMAS } from "../../../src/http/openapi-schemas.ts";
import { WEBHOOKS } from "../../../src/http/webhook-schemas.ts";
import { claim, create, created, freshName, read, send, type Answer } from "../../support/api.ts";

type Schema = {
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly const?: unknown;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: unknown;
  readonly responses: Record<
    string,
    {
      readonly headers: Record<string, unknown>;
      readonly content?: Record<string, { readonly schema: Schema; readonly example?: unknown }>;
    }
  >;
};
type Document = {
  readonly openapi: string;
  readonly info: Record<string, unknown>;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly webhooks: Record<
    string,
    {
      readonly post: {
        readonly security: unknown;
        readonly requestBody: { readonly content: Record<string, { readonly example: unknown }> };
      };
    }
  >;
  readonly components: { readonly schemas: Record<string, Schema>; readonly securitySchemes: Record<string, unknown> };
};

const document = (await send("GET", "/openapi.json")).body as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, path, operation })),
);

function operationOf(route: string): Operation {
  const found = operations.find((each) => each.route === route);
  if (found === undefined) throw new Error(`${route} is not documented`);
  return found.operation;
}

/** Every `$ref` below `value`. */
function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.values(value).flatMap(refsIn);
  return "$ref" in value ? [String(value.$ref), ...below] : below;
}

/** What a `$ref` of the document points to; undefined where it leads nowhere. */
function resolve(ref: string): unknown {
  const steps = ref
    .replace(/^#\//, "")
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let found: unknown = document;
  for (const step of steps) found = (found as Record<string, unknown> | undefined)?.[step];
  return found;
}

/** The object schemas that a schema stands for: one for each code of a refusal. */
function alternatives({ $ref, oneOf, ...schema }: Schema): Schema[] {
  if ($ref !== undefined) return alternatives(resolve($ref) as Schema);
  return oneOf === undefined ? [schema] : oneOf.flatMap(alternatives);
}

/** Expects that the document has `answer` for `route`: status, headers, code, and every field. */
function expectDocumented(route: string, { status, body, headers }: Answer): void {
  const response = operationOf(route).responses[String(status)];
  const schemas = alternatives(response?.content?.["application/json"]?.schema ?? {});
  const documentedCodes = schemas.map(({ properties }) => properties?.["code"]?.const);
  expect(documentedCodes).toContain(body["code"]);
  const { required = [], properties = {} } = schemas[documentedCodes.indexOf(body["code"])] ?? {};
  expect(Object.keys(body)).toEqual(expect.arrayContaining([...required]));
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(body)));
  const ours = new Set(["x-request-id", "coupon-seq", "idempotent-replayed", "retry-after", "www-authenticate", "location", "allow"]);
  const sent = Array.from(headers.keys()).filter((name) => ours.has(name));
  const documented = Object.keys(response?.headers ?? {}).map((name) => name.toLowerCase());
  expect(documented).toEqual(expect.arrayContaining(sent));
}

/** A coupon whose only unit went to `winner`, under the key `key`. */
async function soldOut(): Promise<string> {
  const name = await created(1);
  await claim(name, "winner", { "idempotency-key": "key" });
  return name;
}

/** The answer of a Worker without a token, whose operator routes are closed. */
async function createWithoutToken(): Promise<Answer> {
  const { ADMIN_AUTH: _open, ...closed } = env;
  const response = await createApp().request("/api/coupons", { method: "POST", body: "{}" }, closed);
  return { status: response.status, body: await response.json(), headers: response.headers };
}

test("a user route lists the user's token, the service token and no token", () => {
  const bearer = { type: "http", scheme: "bearer" };
  expect(document.components.securitySchemes).toMatchObject({ user: bearer, service: bearer });
  expect(operationOf("POST /api/coupons/claim").security).toEqual([{ user: [] }, { service: [] }, {}]);
  const ofBoth = [{ user: [] }, { service: [] }, { operator: [] }, {}];
  expect(operationOf("GET /api/coupons/{name}/claims/{user_id}").security).toEqual(ofBoth);
});

test("/openapi.json is OpenAPI 3.1 in JSON, with a title and a version", async () => {
  const { status, headers } = await send("GET", "/openapi.json");
  expect(status).toBe(200);
  expect(headers.get("Content-Type")).toBe("application/json");
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect(document.info).toMatchObject({ title: "Doorbuster", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
});

test("the OpenAPI document lists exactly the routes that are served", () => {
  const served = createApp().routes.map(({ method, path }) => `${method} ${path}`);
  expect(operations.map(({ route }) => route).toSorted()).toEqual(served.toSorted());
  expect(served).toEqual(
    expect.arrayContaining(["GET /health", "POST /api/coupons", "GET /api/coupons/{name}", "POST /api/coupons/claim", "GET /openapi.json"]),
  );
});

test.for(Object.entries(document.paths))("the OpenAPI document lists every method that %s takes", async ([path, methods]) => {
  const { status, headers } = await send("PUT", path.replaceAll(/[{}]/g, ""));
  expect(status).toBe(405);
  const documented = Object.keys(methods).map((method) => method.toUpperCase());
  expect(headers.get("Allow")?.split(", ")).toEqual(expect.arrayContaining(documented));
});

test("the OpenAPI document refers to nothing that is not in it", () => {
  const refs = refsIn(document);
  expect(refs.length).toBeGreaterThan(10);
  expect(refs.filter((ref) => !ref.startsWith("#/") || resolve(ref) === undefined)).toEqual([]);
});

test("the OpenAPI document names every operation once, and in words", () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(operations.filter(({ operation }) => !/\w/.test(operation.summary))).toEqual([]);
});

test.for(operations)("$route: every name in the path is a parameter, and the other way round", ({ path, operation }) => {
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
  const declared = operation.parameters.filter((parameter) => parameter.in === "path");
  expect(declared.map(({ name }) => name)).toEqual(inPath);
  expect(declared.every(({ required }) => required)).toBe(true);
});

test.for(operations)("$route: every answer names its request and can be an internal error", ({ operation }) => {
  expect(Object.keys(operation.responses)).toContain("500");
  for (const { headers } of Object.values(operation.responses)) expect(Object.keys(headers)).toContain("X-Request-Id");
});

test.for(operations)("$route: every example of a success is one that its schema accepts", ({ operation }) => {
  const bodies = Object.values(operation.responses).flatMap(({ content = {} }) => content["application/json"] ?? []);
  const wrong = bodies.filter(({ schema, example }) => {
    const named = NAMED_SCHEMAS[String(schema.$ref).replace("#/components/schemas/", "")];
    return named?.safeParse(example).success === false;
  });
  expect(wrong).toEqual([]);
});

test.for(WEBHOOKS)("the OpenAPI document has $type among its webhooks, with an example that its schema accepts", ({ type, schema }) => {
  const example = document.webhooks[type]?.post.requestBody.content["application/json"]?.example;
  expect(schema.parse(example)).toEqual(example);
  expect(document.webhooks[type]?.post.security).toEqual([]);
});

test("the OpenAPI document says which fields a body must have", () => {
  expect(document.components.schemas["CreateCouponRequest"]?.required?.toSorted()).toEqual(["amount", "name"]);
  expect(document.components.schemas["ClaimRequest"]?.required?.toSorted()).toEqual(["coupon_name", "user_id"]);
  expect(document.components.schemas["OutOfStock"]?.required).toEqual(["error", "code", "request_id"]);
});

test("the OpenAPI document asks for the token where the operator alone may call", () => {
  expect(document.components.securitySchemes).toMatchObject({ operator: { type: "http", scheme: "bearer" } });
  expect(operationOf("POST /api/coupons")).toMatchObject({ security: [{ operator: [] }] });
  expect(Object.keys(operationOf("POST /api/coupons").responses)).toContain("401");
  // Everybody may call where nothing is asked, or where asking for nothing is one of the ways.
  for (const route of ["GET /health", "GET /api/coupons/{name}", "POST /api/coupons/claim", "GET /openapi.json"]) {
    const ways = operationOf(route).security ?? [];
    expect(ways.length === 0 || ways.some((way) => Object.keys(way).length === 0)).toBe(true);
  }
});

test("the OpenAPI document lists the header that a viewer reconnects with", () => {
  const { parameters } = operationOf("GET /api/coupons/{name}/events");
  expect(parameters).toContainEqual({ name: "Last-Event-ID", in: "header", required: false, schema: { type: "string" } });
});

test("the OpenAPI document lists the Idempotency-Key of a claim", () => {
  const keyed = operationOf("POST /api/coupons/claim").parameters.find(({ name }) => name === "Idempotency-Key");
  expect(keyed).toMatchObject({ in: "header", required: false });
});

describe("documented answers", () => {
  const FUTURE = "2040-01-01T00:00:00Z";
  const PAST = "2020-01-01T00:00:00Z";
  const CLAIM = "POST /api/coupons/claim";
  const CREATE = "POST /api/coupons";
  const LOOK = "GET /api/coupons/{name}";

  test.for([
    ["GET /health", 200, undefined, () => send("GET", "/health")],
    [CREATE, 201, undefined, () => create(freshName(), 1)],
    [CREATE, 401, "unauthorized", createWithoutToken],
    [CREATE, 400, "invalid_request", () => create("", 0)],
    [CREATE, 409, "coupon_exists", async () => create(await created(1), 1)],
    [CREATE, 413, "payload_too_large", () => create("x".repeat(2_000_000), 1)],
    [LOOK, 200, undefined, async () => read(await soldOut())],
    [LOOK, 404, "coupon_not_found", () => read(freshName())],
    [LOOK, 404, "coupon_not_found", () => send("GET", "/api/coupons/%zz")],
    [CLAIM, 201, undefined, async () => claim(await created(1), "user")],
    [CLAIM, 201, undefined, async () => claim(await soldOut(), "winner", { "idempotency-key": "key" })],
    [CLAIM, 400, "invalid_request", () => claim("", "")],
    [CLAIM, 400, "invalid_request", () => claim("c", "u", { "idempotency-key": "" })],
    [CLAIM, 413, "payload_too_large", () => claim("x".repeat(20_000), "u")],
    [CLAIM, 404, "coupon_not_found", () => claim(freshName(), "user")],
    [CLAIM, 409, "already_claimed", async () => claim(await soldOut(), "winner")],
    [CLAIM, 422, "idempotency_key_reused", async () => claim(await soldOut(), "other", { "idempotency-key": "key" })],
    [CLAIM, 403, "sale_ended", async () => claim(await created(1, { ends_at: PAST }), "user")],
    [CLAIM, 403, "sale_not_started", async () => claim(await created(1, { starts_at: FUTURE }), "user")],
    [CLAIM, 400, "out_of_stock", async () => claim(await soldOut(), "other")],
  ] as const)("%s answers status %i with code %s as documented", async ([route, status, code, ask]) => {
    const answer = await ask();
    expect([answer.status, answer.body["code"]]).toEqual([status, code]);
    expectDocumented(route, answer);
  });
});
