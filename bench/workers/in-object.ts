// The claim alone: each call makes the object claim for a thousand users of its own in one transaction.

import { DurableObject } from "cloudflare:workers";

import { sqlOver } from "../../src/object/sql-storage.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { CreateResult, MetricsResult } from "../../src/domain/rpc.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import type { Stamped } from "../../src/engine/message.ts";
import { createApp } from "../../src/http/app.ts";
import { judgedAlone, NO_LEASE } from "./judged-alone.ts";

export * from "../../src/objects.ts";

const USERS_EACH = 1000;

export class CouponObject extends DurableObject {
  readonly #engine = new CouponEngine(sqlOver(this.ctx.storage, (cause) => this.ctx.abort(String(cause))));
  /** New with each start of the object, so that no user claims twice. */
  readonly #userPrefix = crypto.randomUUID();
  #userCount = 0;

  async create(coupon: NewCoupon): Promise<CreateResult> {
    return judgedAlone(this.#engine, { kind: "create", coupon, epoch: crypto.randomUUID() });
  }

  async metrics(): Promise<MetricsResult> {
    return judgedAlone(this.#engine, { kind: "metrics" });
  }

  async claimThousand(): Promise<void> {
    const at = Date.now();
    const batch = Array.from({ length: USERS_EACH }, (): Stamped => {
      const userId = `${this.#userPrefix}-${(this.#userCount += 1)}`;
      return { message: { kind: "claim", request: { userId, key: null, attemptId: crypto.randomUUID() } }, at };
    });
    this.#engine.apply(batch, NO_LEASE);
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
