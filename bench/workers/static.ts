// The floor: a Worker that reads the body of a claim, parses it, and answers what never changes. No object is asked.

import { DurableObject } from "cloudflare:workers";

/** Nobody asks it; the Worker's configuration wants a class of this name. */
export class CouponObject extends DurableObject {}

const HEADERS = { "Content-Type": "application/json" };
const BODY = '{"coupon_name":"bench","user_id":"somebody","position":1,"claimed_at":"2026-01-01T00:00:00.000Z","remaining_amount":0}';

export default {
  async fetch(request) {
    await request.json();
    return new Response(BODY, { status: 201, headers: HEADERS });
  },
} satisfies ExportedHandler;
