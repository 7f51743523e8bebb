// The same app and engine, without the mailbox: every claim is a transaction of its own.

import { DurableObject } from "cloudflare:workers";

import { sqlOver } from "../../src/object/sql-storage.ts";
import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { ClaimResult, CreateResult, MetricsResult } from "../../src/domain/rpc.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { createApp } from "../../src/http/app.ts";
import { judgedAlone } from "./judged-alone.ts";

export * from "../../src/objects.ts";

export class CouponObject extends DurableObject {
  readonly #engine = new CouponEngine(sqlOver(this.ctx.storage, (cause) => this.ctx.abort(String(cause))));

  async create(coupon: NewCoupon): Promise<CreateResult> {
    return judgedAlone(this.#engine, { kind: "create", coupon, epoch: crypto.randomUUID() });
  }

  async metrics(): Promise<MetricsResult> {
    return judgedAlone(this.#engine, { kind: "metrics" });
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    return judgedAlone(this.#engine, { kind: "claim", request });
  }
}

export default createApp();
