// The limit of a claim with the product's answer: as `bare-call`, with the fields of the product's call, and the headers
// and the body of its receipt.

import { DurableObject } from "cloudflare:workers";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { ClaimResult } from "../../src/domain/rpc.ts";

export * from "../../src/objects.ts";

type Body = { readonly user_id: string; readonly coupon_name: string };
type Env = { readonly COUPONS: DurableObjectNamespace<CouponObject> };

export class CouponObject extends DurableObject {
  #count = 0;

  async claim({ userId, key, attemptId }: ClaimRequest): Promise<ClaimResult> {
    this.#count += 1;
    const claim = { userId, position: this.#count, claimedAt: Date.now(), remainingAfter: 1000, key, attemptId };
    return { ok: true, claim, replayed: false, seq: this.#count };
  }
}

let id: DurableObjectId | undefined;
let count = 0;

export default {
  async fetch(request, { COUPONS }) {
    const { user_id: userId, coupon_name: name } = await request.json<Body>();
    count += 1;
    const attemptId = `0123456789abcdef-${count.toString(36)}`;
    id ??= COUPONS.idFromName(name);
    const result = await COUPONS.get(id).claim({ userId, key: null, attemptId });
    if (!result.ok) return new Response(null, { status: 500 });
    const { claim, seq } = result;
    const headers = {
      "Content-Type": "application/json",
      "Cache-Control": "no-store, no-transform",
      "X-Request-Id": attemptId,
      "Coupon-Seq": String(seq),
    };
    const { position, claimedAt, remainingAfter } = claim;
    const claimedAtText = new Date(claimedAt).toISOString();
    const receipt = { coupon_name: name, user_id: userId, position, claimed_at: claimedAtText, remaining_amount: remainingAfter };
    return new Response(JSON.stringify(receipt), { status: 201, headers });
  },
} satisfies ExportedHandler<Env>;
