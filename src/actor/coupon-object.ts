// The Durable Object of one coupon: it takes the calls of the Worker one at a time and hands them to the engine.

import { DurableObject } from "cloudflare:workers";

import { BrokenAssertion } from "../domain/assert.ts";
import type { ClaimRequest } from "../domain/claim.ts";
import type { NewCoupon } from "../domain/coupon.ts";
import { BATCH_SIZE_MAX, QUEUE_LENGTH_MAX } from "../domain/limits.ts";
import type { ClaimResult, CouponCalls, CreateResult, ReadResult, Refused } from "../domain/messages.ts";
import { textFault } from "../domain/text.ts";
import { CouponEngine } from "../engine/coupon-engine.ts";
import { GroupCommit, QUEUE_IS_FULL } from "./group-commit.ts";
import { sqlOver } from "./sql-storage.ts";

/**
 * One coupon, named by its public name. It stores nothing, not even a table, before `create`. Its answers leave only when
 * what they are about is on disk: the platform's output gate sees to that.
 */
export class CouponObject extends DurableObject implements CouponCalls {
  readonly #engine: CouponEngine;
  readonly #claims: GroupCommit<ClaimRequest, ClaimResult>;

  // Runs after every idle period, so it prepares and reads nothing.
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#engine = new CouponEngine(sqlOver(ctx.storage));
    this.#claims = new GroupCommit({
      commit: (requests) => this.#engine.claimMany(requests, Date.now()),
      restore: () => this.#engine.reload(),
      // A failed sync means that the platform is about to end this object; those who wait are told by that.
      settled: () => ctx.storage.sync().catch((cause: unknown) => ctx.abort(String(cause))),
      refuse: (_request, cause) => this.#unavailable(cause),
      abort: (cause) => ctx.abort(cause.message),
      batchSizeMax: BATCH_SIZE_MAX,
      queueLengthMax: QUEUE_LENGTH_MAX,
    });
  }

  async create(coupon: NewCoupon): Promise<CreateResult> {
    if (coupon.name !== this.ctx.id.name) return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    return this.#guarded(() => this.#engine.create(coupon, crypto.randomUUID(), Date.now()));
  }

  async read(wanted: { readonly claimedBy: boolean }): Promise<ReadResult> {
    return this.#guarded(() => this.#engine.read(wanted, Date.now()));
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    // The Worker parsed it; looked at once more, because what is queued shares a transaction with its neighbours.
    if (typeof request.userId !== "string" || textFault(request.userId) !== null) {
      return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    }
    return this.#claims.submit(request);
  }

  /** Does one thing that is no claim. What throws has written nothing, and may be tried again. */
  #guarded<Result>(work: () => Result): Result | Refused<"unavailable"> {
    try {
      return work();
    } catch (cause) {
      this.#engine.reload();
      if (cause instanceof BrokenAssertion) this.ctx.abort(cause.message);
      return this.#unavailable(cause);
    }
  }

  /** Nothing was changed; the caller may try again. */
  #unavailable(cause: unknown): Refused<"unavailable"> {
    if (cause !== QUEUE_IS_FULL) console.error({ event: "storage_failed", coupon: this.ctx.id.name, cause: String(cause) });
    return { ok: false, code: "unavailable", seq: this.#engine.seq };
  }
}
