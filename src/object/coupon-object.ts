// The Durable Object of one coupon. Every call becomes a message in its mailbox, which the engine judges.

import { DurableObject } from "cloudflare:workers";

import type { BackupPart } from "../domain/backup.ts";
import type { CertificateRequest } from "../domain/certificate.ts";
import type { Change } from "../domain/change.ts";
import type { RefusalCounts } from "../domain/claim-counts.ts";
import type { ClaimRequest } from "../domain/claim.ts";
import type { NewCoupon } from "../domain/coupon.ts";
import type { OutboxCursor } from "../domain/delivery.ts";
import type { Precondition } from "../domain/etag.ts";
import type { HoldRequest } from "../domain/hold.ts";
import { NOTICE_ALARM_MS } from "../domain/delivery-limits.ts";
import { BATCH_SIZE_MAX, HOLDS_ENDED_AT_ONCE_MAX, MAILBOX_LENGTH_MAX } from "../domain/limits.ts";
import type * as rpc from "../domain/rpc.ts";
import type { RevokeRequest } from "../domain/revoke.ts";
import { userIdFault } from "../domain/names.ts";
import { CouponEngine, type Applied } from "../engine/coupon-engine.ts";
import {
  isAnswerTo,
  isExclusive,
  type Answer,
  type AnswerTo,
  type Deferred,
  type Kind,
  type Message,
  type MessageOf,
  type Stamped,
} from "../engine/message.ts";
import { logFailure } from "../log.ts";
import { CountsFlush } from "./counts-flush.ts";
import { hasNews, noticeTo, type CourierNotice, type Couriers } from "./courier-notice.ts";
import { ExpiryAlarm } from "./expiry-alarm.ts";
import { Lease } from "./lease.ts";
import { TrafficMeter } from "./traffic-meter.ts";
import { Mailbox, MAILBOX_IS_FULL } from "./mailbox.ts";
import { sqlOver } from "./sql-storage.ts";

const now = (): number => Date.now();

/** The bindings that the object uses. Without a courier nothing is delivered. */
type ObjectEnv = { readonly COURIERS?: Couriers };

/**
 * One coupon. The object's name is the coupon's name. It stores nothing, not even a table, before `create`.
 * The platform's output gate delays each answer until the writes before it are on disk.
 */
export class CouponObject extends DurableObject<ObjectEnv> implements rpc.CouponCalls, rpc.BatchCalls {
  readonly #engine: CouponEngine;
  readonly #mailbox: Mailbox<Message, Answer | Deferred>;
  readonly #lease = new Lease(now);
  readonly #traffic = new TrafficMeter(now, () => this.#mailbox.length);
  readonly #alarm: ExpiryAlarm;
  /** Null where no courier is bound. */
  readonly #notice: CourierNotice | null;
  readonly #countsFlush = new CountsFlush(
    () => this.#engine.hasUnwrittenCounts,
    () => void this.#submit({ kind: "write_counts" }),
  );

  // The constructor runs after every idle period, so it reads no storage.
  constructor(ctx: DurableObjectState, env: ObjectEnv) {
    super(ctx, env);
    this.#notice = noticeTo(env.COURIERS, {
      clock: now,
      // An alarm may not know the name of its object.
      name: () => ctx.id.name ?? this.#engine.name,
      failed: (cause) => {
        this.#log("courier_not_notified", cause);
        this.#alarm.repeat(now());
      },
    });
    this.#engine = new CouponEngine(sqlOver(ctx.storage, (cause) => ctx.abort(String(cause))));
    this.#alarm = new ExpiryAlarm(ctx.storage, (event, cause) => this.#log(event, cause));
    this.#mailbox = new Mailbox({
      clock: now,
      apply: (batch) => this.#apply(batch),
      isExclusive,
      restore: (cause, batchSize) => this.#restore(cause, batchSize),
      flushed: () => ctx.storage.sync(),
      // Without writes under way, `sync` only waits for the next turn of the event loop.
      nextTurn: () => ctx.storage.sync(),
      refuse: (message, cause) => this.#refuse(message, cause),
      // After a failed flush the platform is about to end this object. All callers get an exception.
      abort: (cause) => ctx.abort(String(cause)),
      batchSizeMax: BATCH_SIZE_MAX,
      lengthMax: MAILBOX_LENGTH_MAX,
    });
  }

  async create(coupon: NewCoupon, key: string | null = null, actor: string | null = null): Promise<rpc.CreateResult> {
    if (coupon.name !== this.ctx.id.name) return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    return this.#submit({ kind: "create", coupon, epoch: crypto.randomUUID(), key, actor });
  }

  async read({ claimedBy }: { readonly claimedBy: boolean }): Promise<rpc.ReadResult> {
    return this.#traffic.withHint(await this.#submit({ kind: "read", claimedBy }));
  }

  async change(change: Change, precondition: Precondition | null, actor: string | null = null): Promise<rpc.ChangeResult> {
    return this.#submit({ kind: "change", change, precondition, actor });
  }

  async archive(precondition: Precondition | null, actor: string | null = null): Promise<rpc.ArchiveResult> {
    return this.#submit({ kind: "archive", precondition, actor });
  }

  async claim(request: ClaimRequest): Promise<rpc.ClaimResult> {
    this.#traffic.add(1);
    return this.#traffic.withHint(await this.#claim(request));
  }

  async #claim(request: ClaimRequest): Promise<rpc.ClaimResult> {
    // The Worker has checked it. A second check protects the other messages of the batch, which share a
    // transaction.
    if (typeof request.userId !== "string" || userIdFault(request.userId) !== null) {
      return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    }
    return this.#submit({ kind: "claim", request });
  }

  async claimMany(userIds: readonly string[], attemptId: string, actor: string | null = null): Promise<rpc.BulkClaimResult> {
    return this.#submit({ kind: "claim_many", userIds, attemptId, actor });
  }

  async hold(request: HoldRequest): Promise<rpc.HoldResult> {
    this.#traffic.add(1);
    return this.#traffic.withHint(await this.#submit({ kind: "hold", request }));
  }

  /** Each message is judged as if it had been called alone. */
  async batch(messages: readonly rpc.LaneMessage[], refusedCount: number): Promise<rpc.BatchResult> {
    this.#traffic.add(messages.length);
    const judged = messages.map((message) => (message.kind === "claim" ? this.#claim(message.request) : this.#submit(message)));
    const answers = await Promise.all(judged);
    // The messages have loaded the coupon.
    this.#count({ unavailable: refusedCount });
    return this.#traffic.withPause({ answers });
  }

  async releaseHold(userId: string, actor: string | null = null): Promise<rpc.ReleaseHoldResult> {
    return this.#submit({ kind: "release_hold", userId, actor });
  }

  /** One message releases a bounded number of holds, so that a million holds do not delay claims. */
  async releaseAllHolds(actor: string | null = null): Promise<rpc.ReleaseAllHoldsResult> {
    let count = 0;
    for (;;) {
      const result = await this.#submit({ kind: "release_all_holds", actor });
      // A refusal would say that nothing was changed, which is false now.
      if (!result.ok && count > 0) throw new Error(`only ${count} holds were ended: ${result.code}`);
      if (!result.ok) return result;
      count += result.count;
      if (result.count < HOLDS_ENDED_AT_ONCE_MAX) return { ...result, count };
    }
  }

  async listHolds(after: string, limit: number): Promise<rpc.ListHoldsResult> {
    return this.#submit({ kind: "list_holds", after, limit });
  }

  async getUserClaim(userId: string): Promise<rpc.UserClaimResult> {
    return this.#submit({ kind: "user_claim", userId });
  }

  async revoke(request: RevokeRequest, actor: string | null = null): Promise<rpc.RevokeResult> {
    return this.#submit({ kind: "revoke", request, actor });
  }

  async erase(userId: string, actor: string | null = null): Promise<rpc.EraseResult> {
    const newKey = `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", "");
    return this.#submit({ kind: "erase", userId, newKey, actor });
  }

  async listClaims(after: rpc.Cursor, limit: number): Promise<rpc.ListClaimsResult> {
    return this.#submit({ kind: "list_claims", after, limit });
  }

  async claimants(asOf: rpc.AsOf, after: number, limit: number): Promise<rpc.ClaimantsResult> {
    return this.#submit({ kind: "claimants", asOf, after, limit });
  }

  async history(after: number, limit: number): Promise<rpc.HistoryResult> {
    return this.#submit({ kind: "history", after, limit });
  }

  async backup(epoch: string | null, after: number, until: number | null): Promise<rpc.BackupResult> {
    return this.#submit({ kind: "backup", epoch, after, until });
  }

  async restore(name: string, part: BackupPart, actor: string | null = null): Promise<rpc.RestoreResult> {
    if (name !== this.ctx.id.name) return { ok: false, code: "invalid_request", seq: this.#engine.seq };
    return this.#submit({ kind: "restore", part, name, epoch: crypto.randomUUID(), actor });
  }

  async outbox(after: OutboxCursor | null, limit: number): Promise<rpc.OutboxResult> {
    return this.#submit({ kind: "outbox", after, limit });
  }

  async forget(cursors: readonly (OutboxCursor | null)[]): Promise<rpc.ForgetResult> {
    return this.#submit({ kind: "forget", cursors });
  }

  /** Writes unwritten counts first, those of waiting claims too. Counts that were returned must not be lost with this instance. */
  async metrics(): Promise<rpc.MetricsResult> {
    void this.#submit({ kind: "write_counts" });
    return this.#submit({ kind: "metrics" });
  }

  async certify(request: CertificateRequest): Promise<rpc.CertifyResult> {
    let result = await this.#submit({ kind: "certify", request });
    while (!result.ok && result.code === "bypass_incomplete") result = await this.#submit({ kind: "certify", request });
    this.#count(request.refused);
    return this.#traffic.withHint(result);
  }

  /** The message loads the coupon, because a count without a coupon in memory would be lost. */
  async countRefused(refused: RefusalCounts): Promise<rpc.DoneResult> {
    const result = await this.#submit({ kind: "write_counts" });
    this.#count(refused);
    return this.#traffic.withHint(result);
  }

  #count(refused: RefusalCounts): void {
    // Who is refused before the start comes again at the start.
    this.#traffic.add(refused.sale_not_started ?? 0);
    this.#engine.countRefused(refused);
    this.#countsFlush.schedule();
  }

  async remove(precondition: Precondition | null = null, actor: string | null = null): Promise<rpc.DeleteResult> {
    return this.#submit({ kind: "remove", precondition, actor, keepsLedger: this.#notice !== null });
  }

  /** The platform calls this when {@link ExpiryAlarm} says. Must not throw: seven throws would end all alarms. */
  override async alarm(): Promise<void> {
    await this.#alarm.run(now(), async () => {
      // The notice comes first: a crash before it must not find the alarm set for a hold that ends much later.
      const isNotified = this.#notice?.isDue === true ? await this.#notice.send() : true;
      const result = await this.#submit({ kind: "expire" });
      return isNotified && (result.ok || result.code !== "unavailable");
    });
  }

  /** Submits a message. If it contradicts certificates, submits it again when the lease has lapsed. */
  async #submit<K extends Kind>(message: MessageOf<K>): Promise<AnswerTo<K>> {
    const answer = await this.#mailbox.submit(message);
    if (isAnswerTo(message, answer)) return answer;
    return this.#lease.lapsed(() => this.#submit(message));
  }

  #apply(batch: readonly Stamped[]): Applied {
    const { seq } = this.#engine;
    const applied = this.#engine.apply(batch, this.#lease.state);
    const [first] = batch;
    const [answer] = applied.answers;
    if (first !== undefined && answer?.ok === true) this.#updateLeaseAndAlarm(first, answer);
    const isNews = hasNews(batch, applied, seq, this.#engine.seq);
    if (isNews) this.#notice?.schedule();
    const hasOthers = batch.some(({ message }) => message.kind !== "claim");
    const noticeAt = this.#notice === null ? null : now() + NOTICE_ALARM_MS;
    this.#alarm.follow({ hasNews: isNews, hasOthers }, this.#engine.nextExpiryAt, noticeAt);
    this.#countsFlush.schedule();
    return applied;
  }

  /** Updates the lease and the alarm after an exclusive message. */
  #updateLeaseAndAlarm({ message, at }: Stamped, answer: Answer): void {
    // A replayed create made no coupon: certificates of the one that exists may be in use.
    if (message.kind === "create" && isAnswerTo(message, answer) && answer.ok && !answer.replayed) this.#lease.clear();
    const isEmptied = message.kind === "forget" && isAnswerTo(message, answer) && answer.ok && answer.isEmpty;
    if (message.kind === "remove" || isEmptied) this.#alarm.clear();
    if (message.kind !== "certify" || !isAnswerTo(message, answer) || !answer.ok || answer.certificate === null) return;
    this.#lease.extend(at, answer.certificate.validForMs);
  }

  #restore(cause: unknown, batchSize: number): void {
    if (batchSize > 1) this.#log("batch_failed", cause);
    this.#engine.reload();
  }

  /** Returns the refusal that says that nothing was changed. */
  #refuse({ kind }: Message, cause: unknown): rpc.Failed {
    if (cause !== MAILBOX_IS_FULL) this.#log("storage_failed", cause);
    else if (kind === "claim") this.#engine.countRefused({ unavailable: 1 });
    return { ok: false, code: "unavailable", seq: this.#engine.seq };
  }

  #log(event: string, cause: unknown): void {
    logFailure(event, { coupon: this.ctx.id.name, cause });
  }
}
