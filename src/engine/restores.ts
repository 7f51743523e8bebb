// The unfinished restore of one coupon, if there is one.

import type { BackupEnd } from "../domain/backup.ts";
import type { Coupon, Instant } from "../domain/coupon.ts";
import type { RestoreResult } from "../domain/rpc.ts";
import { found } from "./apply.ts";
import type { CouponStore, StoredCoupon } from "./coupon-store.ts";
import type { MessageOf } from "./message.ts";
import { keptUntil, LineFault, otherPart, storePart } from "./restore.ts";
import { RestoreStore, type Restoring } from "./restore-store.ts";
import type { Sql } from "./sql.ts";

/** The answer to a part, or the coupon that the last part has made. */
export type Taken = { readonly answer: RestoreResult; readonly isWritten: boolean } | { readonly made: StoredCoupon };

export class Restores {
  readonly #store: CouponStore;
  readonly #rows: RestoreStore;
  #until: Instant | null = null;

  constructor(sql: Sql, store: CouponStore) {
    this.#store = store;
    this.#rows = new RestoreStore(sql);
  }

  /** Until when the restore is kept. Null if there is none, or none is known. */
  get until(): Instant | null {
    return this.#until;
  }

  exists(): boolean {
    return this.#rows.exists();
  }

  /**
   * Stores a part where there is no coupon. A part with a fault changes nothing. The last part discards the restore with it, because no
   * other part can mend that.
   */
  take({ part, name, epoch, actor = null }: MessageOf<"restore">, at: Instant): Taken {
    const restoring = this.#rows.get();
    const nextPart = otherPart(part, restoring);
    if (nextPart !== null && part.number < nextPart) return { answer: { ok: true, nextPart, seq: 0 }, isWritten: false };
    if (nextPart !== null) return { answer: { ok: false, code: "part_missing", nextPart, seq: 0 }, isWritten: false };
    try {
      const stores = { coupon: this.#store, restore: this.#rows };
      // What fails here is undone, so that a refusal is true.
      const stored = this.#store.transaction(() => {
        const { isFinished, nextPart: next } = storePart(stores, part, { name, epoch, at, actor });
        return { made: isFinished ? this.#store.load() : null, next, kept: this.#rows.get() };
      });
      this.#setUntil(stored.kept);
      if (stored.made !== null) return { made: stored.made };
      return { answer: { ok: true, nextPart: stored.next, seq: 0 }, isWritten: true };
    } catch (cause) {
      if (!(cause instanceof LineFault)) throw cause;
      const isDiscarded = part.end !== null && restoring !== null;
      if (isDiscarded) this.#store.transaction(() => this.discard());
      return { answer: { ok: false, code: "backup_invalid", line: cause.line, fault: cause.message, seq: 0 }, isWritten: isDiscarded };
    }
  }

  /** Answers a part while there is a coupon. The answer to the last part may have been lost. */
  again(end: BackupEnd | null, living: Coupon, at: Instant): RestoreResult {
    const restored = this.#store.ledger.events(0, 1)[0]?.restored;
    const isMade = end !== null && restored?.epoch === end.epoch && restored.seq === end.seq;
    return isMade ? found(living, Math.max(at, living.clockAt)) : { ok: false, code: "coupon_exists", seq: living.seq };
  }

  /** Discards the restore if it is kept until `at` or before. Returns whether it did. */
  discardOverdue(at: Instant): boolean {
    this.#setUntil(this.#rows.get());
    if (this.#until === null || at < this.#until) return false;
    this.#store.transaction(() => this.discard());
    return true;
  }

  #setUntil(restoring: Restoring | null): void {
    this.#until = restoring === null ? null : keptUntil(restoring);
  }

  /** Discards the restore, if there is one. Call it inside a transaction. */
  discard(): void {
    if (this.#rows.exists()) this.#rows.discard();
    this.#until = null;
  }
}
