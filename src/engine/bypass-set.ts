// The bypass set: users with a claim, a running hold or a revoked claim, and keys in use. A certificate does not cover them.

import { BloomFilterBuilder, type BloomFilter } from "../domain/bloom-filter.ts";
import { keyMember, userMember } from "../domain/certificate.ts";
import { revokedCount, type Coupon } from "../domain/coupon.ts";
import { BYPASS_ROWS_MAX } from "../domain/limits.ts";
import { MEMBER_TABLES, type CouponStore, type Member } from "./coupon-store.ts";

/**
 * Is built from the tables, and follows the ledger from there: while the object lives, each row is read once. A hold that has ended
 * stays in it, which costs its user a hop, until the set is full and built anew.
 */
export class BypassSet {
  readonly #store: CouponStore;
  #epoch = "";
  #members = new BloomFilterBuilder(0);
  /** How far the tables have been read: which one, and behind which user. */
  #table = 0;
  #after = "";
  /** The ledger has been followed up to here. */
  #seq = 0;
  /** The seq at which the set changed last. */
  #changedSeq = 0;

  constructor(store: CouponStore) {
    this.#store = store;
  }

  /** The set as of the coupon's head; null where a bounded number of rows was read and others are left. */
  read(coupon: Coupon): { readonly seq: number; readonly members: BloomFilter } | null {
    if (coupon.epoch !== this.#epoch || this.#isOutgrown(coupon)) this.#begin(coupon);
    const wasWhole = this.#table >= MEMBER_TABLES.length;
    if (!this.#readTables() || !this.#follow(coupon)) return null;
    if (!wasWhole) this.#changedSeq = coupon.seq;
    return { seq: this.#changedSeq, members: this.#members.build() };
  }

  /** What ended holds have left in a full set is dropped by building it anew. The largest set takes more than fits well. */
  #isOutgrown(coupon: Coupon): boolean {
    return this.#members.isFull && (!this.#members.isLargest || this.#members.count > 2 * memberCountMax(coupon));
  }

  /** With room for twice as many as there are. */
  #begin(coupon: Coupon): void {
    this.#epoch = coupon.epoch;
    this.#members = new BloomFilterBuilder(2 * memberCountMax(coupon));
    this.#table = 0;
    this.#after = "";
    this.#seq = coupon.seq;
  }

  /** Reads on in the tables; what is added to them meanwhile is in the ledger. */
  #readTables(): boolean {
    for (let left = BYPASS_ROWS_MAX; left > 0;) {
      const table = MEMBER_TABLES[this.#table];
      if (table === undefined) return true;
      const rows = this.#store.members(table, this.#after, left);
      for (const member of rows) this.#add(member);
      this.#after = rows.at(-1)?.userId ?? "";
      if (rows.length < left) {
        this.#table += 1;
        this.#after = "";
      }
      left -= Math.max(rows.length, 1);
    }
    return this.#table >= MEMBER_TABLES.length;
  }

  #follow(coupon: Coupon): boolean {
    const events = this.#store.ledger.involved(this.#seq, BYPASS_ROWS_MAX);
    for (const member of events) if (this.#add(member)) this.#changedSeq = member.seq;
    const isWhole = events.length < BYPASS_ROWS_MAX;
    this.#seq = isWhole ? coupon.seq : (events.at(-1)?.seq ?? coupon.seq);
    return isWhole;
  }

  #add({ userId, key }: Member): boolean {
    const isUserNew = this.#members.add(userMember(userId));
    const isKeyNew = key !== null && this.#members.add(keyMember(key));
    return isUserNew || isKeyNew;
  }
}

/** As many members as there can be: every claim may have a key. */
function memberCountMax(coupon: Coupon): number {
  return 2 * coupon.claimed + coupon.held + revokedCount(coupon);
}
