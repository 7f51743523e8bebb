// The floor: a Worker parses the body of a claim and returns a constant. It calls no object.

import { DurableObject } from "cloudflare:workers";

export * from "../../src/objects.ts";

/** Unused. The Worker's configuration needs every class. */
export class CouponObject extends DurableObject {}

const HEADERS = { "Content-Type": "application/json" };
const BODY = '{"coupon_name":"bench","user_id":"ada","position":1,"claimed_at":"2026-01-01T00:00:00.000Z","remaining_amount":0}';

export default {
  async fetch(request) {
    await request.json();
    return new Response(BODY, { status: 201, headers: HEADERS });
  },
} satisfies ExportedHandler;
