// The response headers, as the OpenAPI document describes them.

import type { RefusalCode } from "../domain/refusals.ts";

/** A required header is on every answer of a status that lists it. */
export const HEADERS = {
  "X-Request-Id": {
    description: "Names this request: the caller's X-Request-Id if it is usable, otherwise a name of ours.",
    required: true,
    schema: { type: "string", examples: ["5f0c3b1d9a7e2c48-1a"] },
  },
  "Coupon-Seq": {
    description: "The coupon's ledger head when the answer was computed. On every answer that its object or certificate gave.",
    schema: { type: "integer", examples: [182] },
  },
  "Served-By": { description: "edge where a certificate of the coupon's object answered.", schema: { const: "edge" } },
  "Idempotent-Replayed": { description: "true where an earlier request with this key did it.", schema: { const: "true" } },
  "Retry-After": { description: "Seconds until it makes sense to send the request again.", schema: { type: "integer", examples: [1] } },
  "WWW-Authenticate": {
    description: "How to authenticate. If a token was sent, error_description says why it is refused.",
    required: true,
    schema: { type: "string", examples: ['Bearer realm="doorbuster"'] },
  },
  Location: {
    description: "The path of what was created.",
    required: true,
    schema: { type: "string", examples: ["/api/coupons/PROMO_SUPER"] },
  },
  "Content-Disposition": {
    description: "The file name of an export.",
    schema: { type: "string", examples: ['attachment; filename="claims-PROMO_SUPER.csv"'] },
  },
  ETag: {
    description:
      "Changes whenever the representation changes. With and without claimed_by, a coupon has different ones; a change takes either.",
    required: true,
    schema: { type: "string", examples: ['"1b4e28ba-182-open"'] },
  },
  "Server-Time": {
    description: "The time of the server; on 304 too, where server_time in a cached body is old.",
    required: true,
    schema: { type: "string", format: "date-time", examples: ["2026-11-27T09:00:00.000Z"] },
  },
  "As-Of": {
    description: "When the newest event reached the database, or `none` before the first one did.",
    required: true,
    schema: { type: "string", examples: ["2026-11-27T09:00:00.000Z"] },
  },
  RateLimit: {
    description: "What is left of the policy (draft-ietf-httpapi-ratelimit-headers-10).",
    required: true,
    schema: { type: "string", examples: ['"user";r=0;t=10'] },
  },
  "RateLimit-Policy": {
    description: "How many requests in how many seconds.",
    required: true,
    schema: { type: "string", examples: ['"user";q=100;w=10'] },
  },
} as const;
export type HeaderName = keyof typeof HEADERS;

/** The headers of each refusal. */
export const HEADERS_OF_CODE: Partial<Record<RefusalCode, readonly HeaderName[]>> = {
  sale_not_started: ["Retry-After", "Served-By"],
  rate_limited: ["Retry-After", "RateLimit", "RateLimit-Policy"],
  unavailable: ["Retry-After"],
  outcome_unknown: ["Retry-After"],
  unauthorized: ["WWW-Authenticate"],
  out_of_stock: ["Served-By"],
  sale_ended: ["Served-By"],
  sale_paused: ["Served-By"],
};
