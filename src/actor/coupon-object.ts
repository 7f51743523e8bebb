// The Durable Object of one coupon: it takes the calls of the Worker one at a time and hands them to the engine.

import { DurableObject } from "cloudflare:workers";

import { BrokenAssertion } from "../domain/assert.ts";
import type { Change } from "../domain/change.ts";
import type { ClaimRequest } from "../domain/claim.ts";
import type { NewCoupon } from "../domain/coupon.ts";
import type { HoldRequest } from "../domain/hold.ts";
import { BATCH_SIZE_MAX, QUEUE_LENGTH_MAX } from "../domain/limits.ts";
import type * as messages from "../domain/messages.ts";
import type { ReleaseRequest } from "../domain/release.ts";
import type { CertificateWish } from "../domain/sold-out.ts";
import { textFault } from "../domain/text.ts";
import { CouponEngine } from "../engine/coupon-engine.ts";
import { GroupCommit, QUEUE_IS_FULL } from "./group-commit.ts";
import { sqlOver } from "./sql-storage.ts";
import { WakeUp } from "./wake-up.ts";

type Failed = messages.Refused<"unavailable">;

/**
 * One coupon, named by its public name. It stores nothing, not even a table, before `create`. Its answers leave only when
 * what they are about is on disk: the platform's output gate sees to that.
 */
export class CouponObject extends DurableObject implements messages.CouponCalls {
  readonly #engine: CouponEngine;
  readonly #claims: GroupCommit<ClaimRequest, messages.ClaimResult>;
  readonly #wakeUp: WakeUp;

  // Runs after every idle period, so it prepares and reads nothing.
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#engine = new CouponEngine(sqlOver(ctx.storage));
    this.#wakeUp = new WakeUp(ctx, this.#engine);
    this.#claims = new GroupCommit({
      commit: (requests) => this.#commit(requests),
      restore: (cause) => this.#restore(cause),
      // A failed sync means that the platform is about to end this object; those who wait are told by that.
      settled: () => ctx.storage.sync().catch((cause: unknown) => ctx.abort(String(cause))),
      refuse: (_request, cause) => this.#failed(cause),
      abort: (cause) => ctx.abort(cause.message),
      batchSizeMax: BATCH_SIZE_MAX,
      queueLengthMax: QUEUE_LENGTH_MAX,
    });
  }

  async create(coupon: NewCoupon): Promise<messages.CreateResult> {
    if (coupon.name !== this.ctx.id.name) return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    return this.#guarded((now) => this.#engine.create(coupon, crypto.randomUUID(), now));
  }

  async read(wanted: { readonly claimedBy: boolean }): Promise<messages.ReadResult> {
    return this.#guarded((now) => this.#engine.read(wanted, now));
  }

  async change(change: Change, ifMatch: string | null): Promise<messages.ChangeResult> {
    return this.#guarded((now) => this.#engine.change(change, ifMatch, now));
  }

  async claim(request: ClaimRequest, wish?: CertificateWish): Promise<messages.ClaimResult> {
    // The Worker parsed it; looked at once more, because what is queued shares a transaction with its neighbours.
    if (typeof request.userId !== "string" || textFault(request.userId) !== null) {
      return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    }
    const result = await this.#claims.submit(request);
    return wish === undefined ? result : this.#certified(result, wish);
  }

  /** A transaction of its own, between two batches: it is a batch already. */
  async claimMany(userIds: readonly string[], attemptId: string): Promise<messages.BulkClaimResult> {
    const requests = userIds.map((userId) => ({ userId, key: null, attemptId }));
    return this.#guarded((now) => this.#engine.claimBulk(requests, now));
  }

  async hold(request: HoldRequest, wish?: CertificateWish): Promise<messages.HoldResult> {
    const result = this.#guarded((now) => this.#engine.hold(request, now));
    return wish === undefined ? result : this.#certified(result, wish);
  }

  async giveBack(userId: string): Promise<messages.GiveBackResult> {
    return this.#guarded((now) => this.#engine.giveBack(userId, now));
  }

  async own(userId: string): Promise<messages.OwnResult> {
    return this.#guarded((now) => this.#engine.own(userId, now));
  }

  async release(request: ReleaseRequest): Promise<messages.ReleaseResult> {
    return this.#guarded((now) => this.#engine.release(request, now));
  }

  async page(after: messages.Cursor, limit: number): Promise<messages.PageResult> {
    return this.#guarded((now) => this.#engine.page(after, limit, now));
  }

  async metrics(): Promise<messages.MetricsResult> {
    return this.#guarded((now) => this.#engine.metrics(now));
  }

  /** Claims that are queued meanwhile find no coupon. One that can't be read any more can still be removed. */
  async remove(): Promise<messages.DeleteResult> {
    const exists = this.#guarded(() => this.#engine.exists());
    if (exists === false) return { ok: false, code: "coupon_not_found", seq: 0 };
    if (exists !== true) return exists;
    // Both take effect at once, before anything else can run here; awaited is only that it is on disk.
    const emptied = Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
    this.#engine.forget();
    this.#wakeUp.forget();
    await emptied;
    return { ok: true, seq: 0 };
  }

  /** The platform's call at the time that {@link WakeUp} asked for. Must not throw: seven throws would end all alarms. */
  override async alarm(): Promise<void> {
    this.#wakeUp.ring((now) => {
      this.#engine.tick(now);
    });
  }

  #commit(requests: readonly ClaimRequest[]): readonly messages.ClaimResult[] {
    const now = Date.now();
    const results = this.#engine.claimMany(requests, now);
    this.#wakeUp.arrange(now);
    return results;
  }

  #restore(cause: unknown): void {
    console.error(JSON.stringify({ event: "batch_failed", coupon: this.ctx.id.name, cause: String(cause) }));
    this.#engine.reload();
  }

  /** Adds a certificate to a refusal that may bring one. Without it the refusal stands. */
  #certified<Result extends messages.ClaimResult | messages.HoldResult>(result: Result, wish: CertificateWish): Result {
    this.#engine.countAtEdge(wish.refused);
    this.#wakeUp.arrange(Date.now());
    if (result.ok || (result.code !== "out_of_stock" && result.code !== "sale_ended")) return result;
    const certificate = this.#guarded((now) => this.#engine.certificate(wish, now));
    return certificate === null || "ok" in certificate ? result : { ...result, certificate };
  }

  /** Does one thing that is no claim. What throws has written nothing, and may be tried again. */
  #guarded<Result>(work: (now: number) => Result): Result | Failed {
    const now = Date.now();
    try {
      const result = work(now);
      this.#wakeUp.arrange(now);
      return result;
    } catch (cause) {
      this.#engine.reload();
      if (cause instanceof BrokenAssertion) this.ctx.abort(cause.message);
      return this.#failed(cause);
    }
  }

  /** Nothing was changed; the caller may try again. */
  #failed(cause: unknown): Failed {
    if (cause === QUEUE_IS_FULL) this.#engine.countUnavailable();
    else console.error(JSON.stringify({ event: "storage_failed", coupon: this.ctx.id.name, cause: String(cause) }));
    return { ok: false, code: "unavailable", seq: this.#engine.seq };
  }
}
