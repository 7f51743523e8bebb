// The engine of one coupon over the SQL port. It judges a batch and writes all changes in one transaction.

import { BrokenAssertion } from "../domain/assert.ts";
import type { BackupEnd } from "../domain/backup.ts";
import { CLOSED_CODES } from "../domain/claim.ts";
import type { Coupon, Instant } from "../domain/coupon.ts";
import { outcomeOf, type CreateResult, type NoCoupon, type RestoreResult } from "../domain/rpc.ts";
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
import { apply, found, type ApplyContext } from "./apply.ts";
import { BypassSet } from "./bypass-set.ts";
import { CouponStore } from "./coupon-store.ts";
import { Draft } from "./draft.ts";
import { DEFERRED, isAnswerTo, type Answer, type Deferred, type Message, type MessageOf, type Stamped } from "./message.ts";
import { deliveredCount, outboxPage } from "./outbox.ts";
import { keptUntil, LineFault, otherPart, storePart } from "./restore.ts";
import { RestoreStore } from "./restore-store.ts";
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
  readonly #restores: RestoreStore;
  /** Until when an unfinished restore is kept. Null if there is none, or none is known. */
  #restoreUntil: Instant | null = null;
  /** The stored coupon. Null if there is none, undefined until it is loaded. Changes only after a commit. */
  #coupon: Coupon | null | undefined = undefined;
  #seqBeforeReload = 0;
  /** The claim counts, which are written together with other changes. Null until they are loaded. */
  #claimCounts: ClaimCounts | null = null;
  #areCountsWritten = true;

  constructor(sql: Sql) {
    this.#store = new CouponStore(sql);
    this.#bypassSet = new BypassSet(this.#store);
    this.#restores = new RestoreStore(sql);
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
    const before = this.#load();
    if (first?.message.kind === "restore") return this.#restore(first.message, first.at, before);
    if (before === null && first?.message.kind === "create") return this.#create(first.message, first.at);
    if (before === null) {
      const expiry = batch.findLast(({ message }) => message.kind === "expire");
      const isWritten = expiry !== undefined && this.#discardOverdue(expiry.at);
      return { answers: batch.map(({ message }) => this.#withoutCoupon(message)), isWritten };
    }

    const draft = new Draft(this.#store, before);
    const outcomes: ClaimOutcome[] = [];
    const claimCounts = (): ClaimCounts => addBatch(this.#claimCounts ?? NO_CLAIM_COUNTS, outcomes);
    const context = { mayCertify: lease.mayCertify, bypassSet: this.#bypassSet, claimCounts };
    draft.readAhead(batch.flatMap(({ message }) => (message.kind === "claim" || message.kind === "hold" ? message.request : [])));
    const answers = batch.map(({ message, at }) => {
      if (message.kind === "remove" || message.kind === "forget" || message.kind === "restore")
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
      if (refused[code] === undefined) continue;
      this.#claimCounts = addRefusals(this.#claimCounts ?? NO_CLAIM_COUNTS, code, refused[code]);
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
    return this.#coupon?.nextExpiryAt ?? this.#restoreUntil;
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
      this.#discardRestore();
      this.#store.create(coupon, epoch, at, NO_CLAIM_COUNTS, by);
      return this.#store.load();
    });
    this.#coupon = stored.coupon;
    this.#claimCounts = stored.claimCounts;
    return only({ ...found(stored.coupon, at), replayed: false } satisfies CreateResult, true);
  }

  /** A part with a fault changes nothing. The last part discards the restore with it, because no other part can mend that. */
  #restore({ part, name, epoch, actor = null }: MessageOf<"restore">, at: Instant, living: Coupon | null): Applied {
    if (living !== null) return only(this.#restoreAgain(part.end, living, at), false);
    const restoring = this.#restores.get();
    const nextPart = otherPart(part, restoring);
    if (nextPart !== null && part.number < nextPart) return only({ ok: true, nextPart, seq: 0 }, false);
    if (nextPart !== null) return only({ ok: false, code: "part_missing", nextPart, seq: 0 }, false);
    try {
      const stores = { coupon: this.#store, restore: this.#restores };
      const stored = this.#store.transaction(() => storePart(stores, part, { name, epoch, at, actor }));
      if (stored.isFinished) return only(this.#finishRestore(at), true);
      this.#discardOverdue(-Infinity);
      return only({ ok: true, nextPart: stored.nextPart, seq: 0 }, true);
    } catch (cause) {
      if (!(cause instanceof LineFault)) throw cause;
      const isDiscarded = part.end !== null && restoring !== null;
      if (isDiscarded) this.#store.transaction(() => this.#discardRestore());
      return only({ ok: false, code: "backup_invalid", line: cause.line, fault: cause.message, seq: 0 }, isDiscarded);
    }
  }

  /** Answers a part while there is a coupon. The answer to the last part may have been lost. */
  #restoreAgain(end: BackupEnd | null, living: Coupon, at: Instant): RestoreResult {
    const restored = this.#store.ledger.events(0, 1)[0]?.restored;
    const isMade = end !== null && restored?.epoch === end.epoch && restored.seq === end.seq;
    return isMade ? found(living, Math.max(at, living.clockAt)) : { ok: false, code: "coupon_exists", seq: living.seq };
  }

  #finishRestore(at: Instant): RestoreResult {
    const { coupon, claimCounts } = this.#store.load();
    this.#coupon = coupon;
    this.#claimCounts = claimCounts;
    this.#restoreUntil = null;
    return found(coupon, Math.max(at, coupon.clockAt));
  }

  /** Discards an unfinished restore that is kept until `at` or before. Returns whether it did. */
  #discardOverdue(at: Instant): boolean {
    const restoring = this.#restores.get();
    this.#restoreUntil = restoring === null ? null : keptUntil(restoring);
    if (this.#restoreUntil === null || at < this.#restoreUntil) return false;
    this.#store.transaction(() => this.#discardRestore());
    return true;
  }

  /** Discards an unfinished restore, if there is one. Call it inside a transaction. */
  #discardRestore(): void {
    if (this.#restores.exists()) this.#restores.discard();
    this.#restoreUntil = null;
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
      const draft = new Draft(this.#store, coupon);
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
   * Writes the draft if it has changes. Memory changes after the commit. Returns whether anything was
   * written.
   */
  #commit(draft: Draft, claimCounts: ClaimCounts, isCounted: boolean, isFlush: boolean): boolean {
    const isWritten = draft.isChanged || isFlush;
    if (isWritten) this.#store.transaction(() => draft.save(claimCounts));
    this.#coupon = draft.coupon;
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
    this.#claimCounts ??= stored?.claimCounts ?? null;
    return this.#coupon;
  }
}

function only(answer: Answer | Deferred, isWritten: boolean): Applied {
  return { answers: [answer], isWritten };
}
