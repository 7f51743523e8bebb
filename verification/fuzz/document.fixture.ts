// A small OpenAPI document for the tests of the fuzzer, and right answers to what it describes.

import type { Document } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ "application/json": { schema } });
const headers = {
  "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" },
  "Coupon-Seq": { $ref: "#/components/headers/Coupon-Seq" },
};
const refusal = (...codes: readonly string[]) => ({
  headers,
  content: json({ allOf: [ref("Refusal"), { type: "object", properties: { code: { enum: codes } } }] }),
});
const text = { type: "string", minLength: 1, maxLength: 255 };
const inPath = { name: "name", in: "path", required: true, schema: text };

export const DOCUMENT = {
  openapi: "3.1.0",
  paths: {
    "/api/coupons/{name}": {
      get: {
        operationId: "look",
        security: [],
        parameters: [inPath],
        responses: {
          "200": { headers: { ...headers, ETag: { $ref: "#/components/headers/ETag" } }, content: json(ref("Coupon")) },
          "404": refusal("coupon_not_found"),
          "503": refusal("unavailable"),
        },
      },
      delete: {
        operationId: "remove",
        security: [{ operator: [] }],
        parameters: [inPath],
        responses: { "204": { headers }, "404": refusal("coupon_not_found") },
      },
    },
    "/api/coupons/claim": {
      post: {
        operationId: "claim",
        security: [{}, { user: [] }],
        parameters: [{ name: "Idempotency-Key", in: "header", required: false, schema: { type: "string" } }],
        requestBody: { content: json(ref("ClaimRequest")) },
        responses: { "201": { headers, content: json(ref("Receipt")) }, "400": refusal("invalid_request", "out_of_stock") },
      },
    },
  },
  components: {
    headers: {
      "X-Request-Id": { required: true, schema: { type: "string" } },
      "Coupon-Seq": { schema: { type: "integer" } },
      ETag: { required: true, schema: { type: "string" } },
    },
    schemas: {
      ClaimRequest: { type: "object", properties: { user_id: text, coupon_name: text }, required: ["user_id", "coupon_name"] },
      Coupon: {
        type: "object",
        properties: {
          name: text,
          amount: { type: "integer", minimum: 1, maximum: 10 },
          created_at: { type: "string", format: "date-time" },
        },
        required: ["name", "amount", "created_at"],
      },
      Receipt: {
        type: "object",
        properties: { coupon_name: text, user_id: text, position: { type: "integer", minimum: 1 } },
        required: ["coupon_name", "user_id", "position"],
      },
      Status: { type: "object", properties: { seq: { type: "integer" } }, required: ["seq"] },
      Refusal: {
        type: "object",
        properties: { error: { type: "string" }, code: { type: "string" }, request_id: { type: "string" }, claim: ref("Receipt") },
        required: ["error", "code", "request_id"],
      },
    },
  },
} as unknown as Document;

/** A request without anything that need not be there. */
export function asks(method: string, target: string, body: string | null = null): FuzzRequest {
  return { method, target, headers: [], body };
}

/** An answer of the server that named the request `r-1`. */
export function answers(status: number, body: object | string, more: Readonly<Record<string, string | undefined>> = {}): FuzzAnswer {
  const told = typeof body === "string" ? body : JSON.stringify(body);
  return { status, body: told, headers: { "x-request-id": "r-1", "content-type": "application/json", ...more } };
}

/** A refusal as all of them are. */
export function refuses(status: number, code: string, more: object = {}): FuzzAnswer {
  return answers(status, { error: "a sentence", code, request_id: "r-1", ...more });
}
