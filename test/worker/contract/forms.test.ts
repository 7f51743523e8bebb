// Form bodies: the fields of an HTML form, each once, under the same bounds as JSON.

import { Hono } from "hono";
import { expect, test } from "vitest";
import * as z from "zod";

import { JSON_TYPE } from "../../../src/http/media-types.ts";
import type { AppEnv } from "../../../src/http/request-context.ts";
import { ok, route } from "../../../src/http/route.ts";
import { serve } from "../../../src/http/serve.ts";
import { bindings } from "../../support/worker.ts";

const Fields = z.object({ name: z.string("is required"), note: z.string().default("none") });
const echo = route({
  id: "echo",
  tag: "service",
  method: "POST",
  path: "/echo",
  summary: "Return the fields",
  who: "everybody",
  body: { schema: Fields, bytesMax: 64, isForm: true },
  successes: { 200: { description: "The fields.", content: { [JSON_TYPE]: Fields } } },
  refusals: [],
  handle: ({ body }) => ok(200, { json: body }),
});
const app = new Hono<AppEnv>().post(echo.path, serve(echo));

async function sent(body: BodyInit): Promise<unknown[]> {
  const response = await app.request(`https://doorbuster.test${echo.path}`, { method: "POST", body }, bindings);
  const { error: _error, request_id: _id, ...rest } = await response.json<Record<string, unknown>>();
  return [response.status, rest];
}

test.for([
  ["name=ada", { name: "ada", note: "none" }],
  ["name=a+b%26c%3Dd&note=%C3%A9=1", { name: "a b&c=d", note: "é=1" }],
  ["&note=&&name=%EF%BB%BFa&", { name: "\ufeffa", note: "" }],
  ["name=é&more=1&more2=2", { name: "é", note: "none" }],
  ["name=ada&__proto__=x&ok=false", { name: "ada", note: "none" }],
] as const)("the form %s is read", async ([form, fields]) => {
  expect(await sent(form)).toEqual([200, fields]);
});

const invalid = (fields?: object) => [400, { code: "invalid_request", ...(fields === undefined ? {} : { fields }) }];

test.for<[string, BodyInit, unknown[]]>([
  ["without the field", "note=x", invalid({ name: "is required" })],
  ["with no bytes", "", invalid({ name: "is required" })],
  ["in JSON", '{"name":"ada"}', invalid({ name: "is required" })],
  ["with a field twice", "name=ada&name=ada", invalid({ name: "must be sent once" })],
  ["with an unknown field twice", "name=ada&x=1&x=2", invalid({ x: "must be sent once" })],
  ["with malformed percent-encoding", "name=%zz", invalid({ name: "must be percent-encoded UTF-8" })],
  ["with percent-encoded bytes that are not UTF-8", "name=%ff", invalid({ name: "must be percent-encoded UTF-8" })],
  ["with a malformed name", "name=ada&%zz=1", invalid({ "%zz": "must be percent-encoded UTF-8" })],
  ["with bytes that are not UTF-8", Uint8Array.of(0x6e, 0x3d, 0xff), invalid()],
  ["of one byte too many", `name=${"x".repeat(60)}`, [413, { code: "payload_too_large" }]],
])("a form %s is refused", async ([, body, answer]) => {
  expect(await sent(body)).toEqual(answer);
});
