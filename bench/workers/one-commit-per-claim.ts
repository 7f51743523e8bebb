// The same app and engine, without group commit: every claim is a transaction of its own.

import { DurableObject } from "cloudflare:workers";

import { sqlOver } from "../../src/object/sql-storage.ts";
import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { ClaimResult, CreateResult, ReadResult } from "../../src/domain/messages.ts";
import { CouponEngine } from "../../src/engine/coupon-engine.ts";
import { createApp } from "../../src/http/app.ts";

export class CouponObject extends DurableObject {
  readonly #engine = new CouponEngine(sqlOver(this.ctx.storage));

  async create(coupon: NewCoupon): Promise<CreateResult> {
    return this.#engine.create(coupon, crypto.randomUUID(), Date.now());
  }

  async read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult> {
    return this.#engine.read(wanted, Date.now());
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const [result] = this.#engine.claimMany([request], Date.now());
    if (result === undefined) throw new Error("a claim has an answer");
    return result;
  }
}

export default createApp();
