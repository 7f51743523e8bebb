// The floor of a refusal: as `static`, with the status, the headers and the body of the product's refusal.

import { DurableObject } from "cloudflare:workers";

export * from "../../src/objects.ts";

/** Unused. The Worker's configuration needs every class. */
export class CouponObject extends DurableObject {}

let count = 0;

export default {
  async fetch(request) {
    await request.json();
    count += 1;
    const id = `0123456789abcdef-${count.toString(36)}`;
    const headers = {
      "Served-By": "edge",
      "Content-Type": "application/json",
      "Cache-Control": "no-store, no-transform",
      "X-Request-Id": id,
      "Coupon-Seq": "2",
    };
    return new Response(JSON.stringify({ error: "coupon out of stock", code: "out_of_stock", request_id: id }), { status: 400, headers });
  },
} satisfies ExportedHandler;
