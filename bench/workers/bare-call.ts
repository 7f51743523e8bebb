// The limit: a Worker parses the body of a claim and calls an object that does nothing.

import { DurableObject } from "cloudflare:workers";

export * from "../../src/objects.ts";

type Body = { readonly user_id: string; readonly coupon_name: string };
type Env = { readonly COUPONS: DurableObjectNamespace<CouponObject> };

export class CouponObject extends DurableObject {
  async claim(request: { readonly userId: string }): Promise<{ readonly userId: string; readonly position: number }> {
    return { userId: request.userId, position: 1 };
  }
}

const HEADERS = { "Content-Type": "application/json" };
let id: DurableObjectId | undefined;

export default {
  async fetch(request, { COUPONS }) {
    const { user_id: userId, coupon_name: name } = await request.json<Body>();
    id ??= COUPONS.idFromName(name);
    const { position } = await COUPONS.get(id).claim({ userId });
    return new Response(JSON.stringify({ coupon_name: name, user_id: userId, position }), { status: 201, headers: HEADERS });
  },
} satisfies ExportedHandler<Env>;
