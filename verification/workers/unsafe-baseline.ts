// The same app with one bug: the Worker reads the stock first, and writes the claim in a second call.

import { DurableObject } from "cloudflare:workers";

import type { Claim, ClaimRequest } from "../../src/domain/claim.ts";
import { saleState, type Coupon, type NewCoupon } from "../../src/domain/coupon.ts";
import type { ClaimResult, CouponCalls, CreateResult, Found, ReadResult } from "../../src/domain/rpc.ts";
import type { CouponNamespace, Env } from "../../src/edge/env.ts";
import { createApp } from "../../src/http/app.ts";

export * from "../../src/objects.ts";

/** Storage with a counter. Each call by itself is atomic and durable. */
export class CouponObject extends DurableObject {
  async create(asked: NewCoupon): Promise<CreateResult> {
    const now = Date.now();
    const existing = await this.coupon();
    if (existing !== null) return { ok: false, code: "coupon_exists", seq: existing.seq };
    const none = { claimed: 0, held: 0, paused: false, archivedAt: null, lastPosition: 0, nextExpiryAt: null };
    const coupon = { ...asked, ...none, seq: 1, createdAt: now, clockAt: now, epoch: crypto.randomUUID() };
    await this.ctx.storage.put("coupon", coupon);
    return { ...found(coupon), replayed: false };
  }

  async coupon(): Promise<Coupon | null> {
    return (await this.ctx.storage.get<Coupon>("coupon")) ?? null;
  }

  async claimOf(userId: string): Promise<Claim | null> {
    return (await this.ctx.storage.get<Claim>(`claim ${userId}`)) ?? null;
  }

  async add(claim: Claim): Promise<void> {
    const coupon = await this.coupon();
    if (coupon === null) return;
    const [claimed, seq] = [coupon.claimed + 1, coupon.seq + 1];
    await this.ctx.storage.put({ coupon: { ...coupon, claimed, seq, lastPosition: claimed }, [`claim ${claim.userId}`]: claim });
  }
}

function found(coupon: Coupon): Found {
  const now = Date.now();
  return { ok: true, coupon: { ...coupon, state: saleState(coupon, now) }, now, seq: coupon.seq };
}

async function read(object: DurableObjectStub<CouponObject>): Promise<ReadResult> {
  const coupon = await object.coupon();
  return coupon === null ? { ok: false, code: "coupon_not_found", seq: 0 } : found(coupon);
}

/** Grants a unit if one is left and the user has none. */
async function checkThenWrite(object: DurableObjectStub<CouponObject>, { userId, key, attemptId }: ClaimRequest): Promise<ClaimResult> {
  const coupon = await object.coupon();
  if (coupon === null) return { ok: false, code: "coupon_not_found", seq: 0 };
  const own = await object.claimOf(userId);
  if (own !== null) return { ok: false, code: "already_claimed", claim: own, seq: coupon.seq };
  if (coupon.claimed >= coupon.amount) return { ok: false, code: "out_of_stock", seq: coupon.seq };
  // This is the bug: another request may have read the same stock in between.
  const position = coupon.claimed + 1;
  const claim = { userId, position, claimedAt: Date.now(), remainingAfter: coupon.amount - position, key, attemptId };
  await object.add(claim);
  return { ok: true, claim, replayed: false, seq: coupon.seq + 1 };
}

/** The objects as the app calls them, as far as this Worker supports those calls. */
function judgedByTheWorker(objects: DurableObjectNamespace<CouponObject>): CouponNamespace {
  function get(id: DurableObjectId): Pick<CouponCalls, "create" | "read" | "claim"> {
    const object = objects.get(id);
    return {
      create: async (asked) => object.create(asked),
      read: () => read(object),
      claim: (request) => checkThenWrite(object, request),
    };
  }
  return { idFromName: (name: string) => objects.idFromName(name), get } as unknown as CouponNamespace;
}

const app = createApp();

export default {
  fetch(request: Request, env: Omit<Env, "COUPONS"> & { readonly COUPONS: DurableObjectNamespace<CouponObject> }, ctx: ExecutionContext) {
    return app.fetch(request, { ...env, COUPONS: judgedByTheWorker(env.COUPONS) }, ctx);
  },
};
