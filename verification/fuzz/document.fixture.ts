// A small OpenAPI document for the fuzzer's own tests, and valid answers to it.

import type { Document } from "./document.ts";
import type { FuzzAnswer, FuzzRequest } from "./request.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ "application/json": { schema } });
const object = (properties: object, ...optional: readonly string[]) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const headers = {
  "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" },
  "Coupon-Seq": { $ref: "#/components/headers/Coupon-Seq" },
};
const refusal = (...codes: readonly string[]) => {
  const schemas = codes.map((code) => object({ error: string, code: { const: code }, request_id: string, claim: ref("Receipt") }, "claim"));
  return { headers, content: json({ oneOf: schemas, discriminator: { propertyName: "code" } }) };
};
const string = { type: "string" };
const text = { type: "string", minLength: 1, maxLength: 255 };
const parameters = [{ name: "name", in: "path", required: true, schema: text }];

export const DOCUMENT = {
  openapi: "3.1.0",
  paths: {
    "/api/coupons/{name}": {
      get: {
        operationId: "getCoupon",
        security: [],
        parameters,
        responses: {
          "200": { headers: { ...headers, ETag: { $ref: "#/components/headers/ETag" } }, content: json(ref("Coupon")) },
          "404": refusal("coupon_not_found"),
          "503": refusal("unavailable"),
        },
      },
      delete: {
        operationId: "deleteCoupon",
        security: [{ operator: [] }],
        parameters,
        responses: { "204": { headers }, "404": refusal("coupon_not_found") },
      },
    },
    "/api/coupons/claim": {
      post: {
        operationId: "claimCoupon",
        security: [{}, { user: [] }],
        parameters: [{ name: "Idempotency-Key", in: "header", required: false, schema: string }],
        requestBody: { content: json(ref("ClaimRequest")) },
        responses: { "201": { headers, content: json(ref("Receipt")) }, "400": refusal("invalid_request", "out_of_stock") },
      },
    },
  },
  components: {
    headers: {
      "X-Request-Id": { required: true, schema: string },
      "Coupon-Seq": { schema: { type: "integer" } },
      ETag: { required: true, schema: string },
    },
    schemas: {
      ClaimRequest: object({ user_id: text, coupon_name: text }),
      Coupon: object({
        name: text,
        amount: { type: "integer", minimum: 1, maximum: 10 },
        created_at: { type: "string", format: "date-time" },
      }),
      Receipt: object({ coupon_name: text, user_id: text, position: { type: "integer", minimum: 1 } }),
      Status: object({ seq: { type: "integer" } }),
    },
  },
} as unknown as Document;

export function asks(method: string, target: string, body: string | null = null): FuzzRequest {
  return { method, target, headers: [], body };
}

/** An answer with the request id `r-1`. */
export function answers(status: number, body: object | string, more: Readonly<Record<string, string | undefined>> = {}): FuzzAnswer {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  return { status, body: sent, headers: { "x-request-id": "r-1", "content-type": "application/json", ...more } };
}

export function refuses(status: number, code: string, more: object = {}, headersMore: Readonly<Record<string, string>> = {}): FuzzAnswer {
  return answers(status, { error: "a sentence", code, request_id: "r-1", ...more }, headersMore);
}
