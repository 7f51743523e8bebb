// The engine of one coupon over the SQL port. It judges a batch and writes all changes in one transaction.

import { BrokenAssertion } from "../domain/assert.ts";
import { CLOSED_CODES } from "../domain/claim.ts";
import type { Coupon, Instant } from "../domain/coupon.ts";
import { outcomeOf, type CreateResult, type NoCoupon } from "../domain/rpc.ts";
import {
  addBatch,
  addRefusals,
  NO_CLAIM_COUNTS,
  WORKER_REFUSALS,
  type ClaimCounts,
  type ClaimOutcome,
  type RefusalCounts,
} from "../domain/claim-counts.ts";
import { isMet } from "../domain/etag.ts";
import { pseudonymOf } from "../domain/pseudonym.ts";
import { apply, found, type ApplyContext } from "./apply.ts";
import { BypassSet } from "./bypass-set.ts";
import { CouponStore } from "./coupon-store.ts";
import { Draft } from "./draft.ts";
import { DEFERRED, isAnswerTo, type Answer, type Deferred, type Message, type MessageOf, type Stamped } from "./message.ts";
import { deliveredCount, outboxPage } from "./outbox.ts";
import { Restores } from "./restores.ts";
import type { Sql } from "./sql.ts";

const NO_COUPON: NoCoupon = { ok: false, code: "coupon_not_found", seq: 0 };

/** As in {@link ApplyContext}, but `leaseUntil` is by the clock that stamps messages. */
export type LeaseState = Pick<ApplyContext, "leaseUntil" | "mayCertify">;

/** The result of a batch: an answer for each message, and whether anything was written. */
export type Applied = { readonly answers: readonly (Answer | Deferred)[]; readonly isWritten: boolean };

/**
 * One coupon. A call that throws has written nothing, but memory may differ from storage. Then call
 * {@link CouponEngine.reload} before the next call.
 */
export class CouponEngine {
  readonly #store: CouponStore;
  readonly #bypassSet: BypassSet;
  readonly #restores: Restores;
  /** The stored coupon. Null if there is none, undefined until it is loaded. Changes only after a commit. */
  #coupon: Coupon | null | undefined = undefined;
  #seqBeforeReload = 0;
  #erasureKey: string | null = null;
  /** The claim counts, which are written together with other changes. Null until they are loaded. */
  #claimCounts: ClaimCounts | null = null;
  #areCountsWritten = true;

  constructor(sql: Sql) {
    this.#store = new CouponStore(sql);
    this.#bypassSet = new BypassSet(this.#store);
    this.#restores = new Restores(sql, this.#store);
  }

  /**
   * Judges messages in their order, each at its own stamp. Each message sees the changes of those before it.
   * All changes are written in one transaction. Without changes there is no transaction. An exclusive message
   * must be alone.
   */
  apply(batch: readonly Stamped[], lease: LeaseState): Applied {
    const [first] = batch;
    if (first?.message.kind === "remove") return this.#remove(first.message, first.at, lease);
    if (first?.message.kind === "forget") return this.#forget(first.message);
    if (first?.message.kind === "erase") return this.#erase(first.message, first.at);
    const before = this.#load();
    if (first?.message.kind === "restore") return this.#restore(first.message, first.at, before);
    if (before === null && first?.message.kind === "create") return this.#create(first.message, first.at);
    if (before === null) {
      const expiry = batch.findLast(({ message }) => message.kind === "expire");
      const isWritten = expiry !== undefined && this.#restores.discardOverdue(expiry.at);
      return { answers: batch.map(({ message }) => this.#withoutCoupon(message)), isWritten };
    }

    const draft = new Draft(this.#store, before, this.#erasureKey);
    const outcomes: ClaimOutcome[] = [];
    const claimCounts = (): ClaimCounts => addBatch(this.#claimCounts ?? NO_CLAIM_COUNTS, outcomes);
    const context = { mayCertify: lease.mayCertify, bypassSet: this.#bypassSet, claimCounts };
    draft.readAhead(batch.flatMap(({ message }) => (message.kind === "claim" || message.kind === "hold" ? message.request : [])));
    const answers = batch.map(({ message, at }) => {
      if (message.kind === "remove" || message.kind === "forget" || message.kind === "erase" || message.kind === "restore")
        throw new TypeError("an exclusive message shares its batch");
      draft.advanceTo(at, message.actor);
      // After a restart the clock may be behind the coupon's time. The lease counts by the clock.
      const leaseUntil = lease.leaseUntil + (draft.at - at);
      const answer = apply(message, draft, { ...context, leaseUntil });
      if (message.kind === "claim" && isAnswerTo(message, answer)) outcomes.push(outcomeOf(answer));
      if ("results" in answer) outcomes.push(...answer.results.map(outcomeOf));
      return answer;
    });
    const isFlush = first?.message.kind === "write_counts" && !this.#areCountsWritten;
    return { answers, isWritten: this.#commit(draft, claimCounts(), outcomes.length > 0, isFlush) };
  }

  /** Counts claims that were refused without a message. Without a coupon in memory it counts nothing. */
  countRefused(refused: RefusalCounts): void {
    if (!this.#coupon) return;
    for (const code of [...CLOSED_CODES, ...WORKER_REFUSALS]) {
      const count = refused[code] ?? 0;
      if (count === 0) continue;
      this.#claimCounts = addRefusals(this.#claimCounts ?? NO_CLAIM_COUNTS, code, count);
      this.#areCountsWritten = false;
    }
  }

  /** Whether memory has claim counts that storage has not. */
  get hasUnwrittenCounts(): boolean {
    return !this.#areCountsWritten;
  }

  /**
   * No hold expires before this instant, and a restore is kept until then. Null while nothing is held or restored, or while the
   * coupon is not loaded.
   */
  get nextExpiryAt(): Instant | null {
    return this.#coupon ? this.#coupon.nextExpiryAt : this.#restores.until;
  }

  /**
   * The last known ledger head, or 0 without a coupon. A failed batch has written nothing and does not change
   * it.
   */
  get seq(): number {
    return this.#coupon?.seq ?? this.#seqBeforeReload;
  }

  /** The coupon's name. Undefined if storage knows none. */
  get name(): string | undefined {
    return (this.#load() ?? this.#store.departed.all()[0]?.coupon)?.name;
  }

  /** Discards the coupon in memory, so that the next call reads storage again. Unwritten counts stay. */
  reload(): void {
    this.#seqBeforeReload = this.seq;
    this.#coupon = undefined;
  }

  #create({ coupon, epoch, key = null, actor = null }: MessageOf<"create">, at: Instant): Applied {
    const by = { actor, ...(key === null ? {} : { key }) };
    const stored = this.#store.transaction(() => {
      this.#restores.discard();
      this.#store.create(coupon, epoch, at, NO_CLAIM_COUNTS, by);
      return this.#store.load();
    });
    this.#coupon = stored.coupon;
    this.#erasureKey = stored.erasureKey;
    this.#claimCounts = stored.claimCounts;
    return only({ ...found(stored.coupon, at), replayed: false } satisfies CreateResult, true);
  }

  #restore(message: MessageOf<"restore">, at: Instant, living: Coupon | null): Applied {
    if (living !== null) return only(this.#restores.again(message.part.end, living, at), false);
    const taken = this.#restores.take(message, at);
    if ("answer" in taken) return only(taken.answer, taken.isWritten);
    const { coupon, claimCounts, erasureKey } = taken.made;
    this.#coupon = coupon;
    this.#claimCounts = claimCounts;
    this.#erasureKey = erasureKey;
    return only(found(coupon, Math.max(at, coupon.clockAt)), true);
  }

  /** A deleted coupon has no rows but those that are still to be delivered. */
  #withoutCoupon(message: Message): Answer {
    if (message.kind !== "outbox") return NO_COUPON;
    return { ok: true, page: outboxPage(this.#store, null, message.after, message.limit), seq: 0 };
  }

  #forget({ cursors }: MessageOf<"forget">): Applied {
    const all = this.#store.departed.all();
    const living = this.#load();
    const delivered = deliveredCount(all, living?.epoch ?? null, cursors);
    const isEmpty = delivered === all.length && living === null && !this.#restores.exists();
    if (isEmpty) this.#store.deleteAll();
    else if (delivered > 0) {
      this.#store.transaction(() => {
        for (const departed of all.slice(0, delivered)) this.#store.departed.forget(departed);
      });
    }
    return only({ ok: true, isEmpty, seq: this.seq }, isEmpty || delivered > 0);
  }

  /** Erases a user of the coupon and of its deleted incarnations. Their ledgers are closed, so they get no event of it. */
  #erase({ userId, newKey, actor = null }: MessageOf<"erase">, at: Instant): Applied {
    const before = this.#load();
    const departed = this.#store.departed.all();
    if (before === null && departed.length === 0) return only(NO_COUPON, false);
    const draft = before === null ? null : new Draft(this.#store, before, this.#erasureKey);
    draft?.advanceTo(at, actor);
    let eventCount = draft?.erase(userId, newKey) ?? 0;
    const alias = pseudonymOf(newKey, userId);
    const rename = (): void => {
      for (const { coupon } of departed) eventCount += this.#store.erasures.renameDeparted(coupon.epoch, alias, userId);
    };
    let isWritten = departed.length > 0;
    if (draft === null) this.#store.transaction(rename);
    else isWritten = this.#commit(draft, this.#claimCounts ?? NO_CLAIM_COUNTS, false, isWritten, rename);
    return only({ ok: true, eventCount, seq: this.seq }, isWritten);
  }

  /** Without a precondition this needs no coupon, so that a damaged coupon can still be deleted. */
  #remove(
    { precondition = null, keepsLedger = false, actor = null }: MessageOf<"remove">,
    at: Instant,
    { leaseUntil }: LeaseState,
  ): Applied {
    if (!this.#store.exists()) return only(NO_COUPON, false);
    const coupon = precondition === null ? null : this.#load();
    if (coupon !== null) {
      // At its stamp, as every message: a hold that is due by then changes the tag, whether or not it was removed yet.
      const draft = new Draft(this.#store, coupon, this.#erasureKey);
      draft.advanceTo(at);
      if (!isMet(precondition, draft.coupon, draft.at)) return only({ ok: false, code: "precondition_failed", seq: coupon.seq }, false);
    }
    if (leaseUntil > at) return only(DEFERRED, false);
    const last = keepsLedger ? this.#loadIfSound() : null;
    if (last === null) this.#store.deleteAll();
    else {
      const deletion = { seq: last.seq + 1, at: Math.max(at, last.clockAt), actor };
      this.#store.transaction(() => this.#store.departed.depart({ coupon: last, deletion }));
    }
    this.#coupon = undefined;
    this.#seqBeforeReload = 0;
    this.#claimCounts = null;
    this.#areCountsWritten = true;
    return only({ ok: true, seq: 0 }, true);
  }

  /**
   * Writes the draft if it has changes, and what `also` writes. Memory changes after the commit. Returns whether
   * anything was written.
   */
  #commit(draft: Draft, claimCounts: ClaimCounts, isCounted: boolean, isFlush: boolean, also?: () => void): boolean {
    const isWritten = draft.isChanged || isFlush;
    if (isWritten) {
      this.#store.transaction(() => {
        draft.save(claimCounts);
        also?.();
      });
    }
    this.#coupon = draft.coupon;
    this.#erasureKey = draft.erasureKey;
    this.#claimCounts = claimCounts;
    this.#areCountsWritten = isWritten || (this.#areCountsWritten && !isCounted);
    return isWritten;
  }

  /** Returns the coupon, or null if its rows contradict each other. Throws if a newer version wrote them, or if the storage fails. */
  #loadIfSound(): Coupon | null {
    try {
      return this.#load();
    } catch (cause) {
      if (cause instanceof BrokenAssertion) return null;
      throw cause;
    }
  }

  /** Returns the coupon in memory. While there is none, each call reads storage. */
  #load(): Coupon | null {
    if (this.#coupon !== undefined && this.#coupon !== null) return this.#coupon;
    const stored = this.#store.exists() ? this.#store.load() : null;
    this.#coupon = stored?.coupon ?? null;
    this.#erasureKey = stored?.erasureKey ?? null;
    this.#claimCounts ??= stored?.claimCounts ?? null;
    return this.#coupon;
  }
}

function only(answer: Answer | Deferred, isWritten: boolean): Applied {
  return { answers: [answer], isWritten };
}
