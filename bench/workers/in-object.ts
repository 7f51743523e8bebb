// The claim alone: an object that claims for a thousand users of its own in one transaction each time it is asked.

import { DurableObject } from "cloudflare:workers";

import { sqlOver } from "../../src/object/sql-storage.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { CreateResult, ReadResult } from "../../src/domain/messages.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { createApp } from "../../src/http/app.ts";

const USERS_EACH = 1000;

export class CouponObject extends DurableObject {
  readonly #engine = new CouponEngine(sqlOver(this.ctx.storage));
  /** Another one each time that the object starts, so that nobody is met twice. */
  readonly #crowd = crypto.randomUUID();
  #userCount = 0;

  async create(coupon: NewCoupon): Promise<CreateResult> {
    return this.#engine.create(coupon, crypto.randomUUID(), Date.now());
  }

  async read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult> {
    return this.#engine.read(wanted, Date.now());
  }

  async claimThousand(): Promise<void> {
    const requests = Array.from({ length: USERS_EACH }, () => ({
      userId: `${this.#crowd}-${(this.#userCount += 1)}`,
      key: null,
      attemptId: crypto.randomUUID(),
    }));
    this.#engine.claimMany(requests, Date.now());
  }
}

const app = createApp();

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/thousand") return app.fetch(request, env, ctx);
    const coupons = env.COUPONS as DurableObjectNamespace<CouponObject>;
    await coupons.getByName("bench").claimThousand();
    return new Response(null, { status: 201 });
  },
} satisfies ExportedHandler<Parameters<typeof app.fetch>[1] & { readonly COUPONS: unknown }>;
