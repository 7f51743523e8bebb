// The bypass set: users with a claim, a hold or a revoked claim, and keys in use. No certificate covers them.

import { BloomFilterBuilder, type BloomFilter } from "../domain/bloom-filter.ts";
import { keyMember, userMember } from "../domain/certificate.ts";
import { revokedCount, type Coupon } from "../domain/coupon.ts";
import { BYPASS_ROWS_MAX } from "../domain/limits.ts";
import { MEMBER_TABLES, type CouponStore, type Member } from "./coupon-store.ts";

/** Before the first row of a table. */
const BEGINNING: Pick<Member, "userId" | "position"> = { userId: "", position: 0 };

/**
 * The set is built from the tables and then updated from the ledger, so a build reads each row once. An ended
 * hold stays in the set until the set is full and rebuilt. Until then its user's requests reach the object.
 */
export class BypassSet {
  readonly #store: CouponStore;
  #epoch = "";
  #members = new BloomFilterBuilder(0);
  /** The next table to read, and the last row that was read of it. */
  #table = 0;
  #after = BEGINNING;
  /** The seq of the last event that was read. */
  #seq = 0;
  /** The seq of the last change of the set. */
  #changedSeq = 0;

  constructor(store: CouponStore) {
    this.#store = store;
  }

  /** Returns the set at the coupon's head, or null if rows are left to read: call it again to go on. */
  read(coupon: Coupon): { readonly seq: number; readonly members: BloomFilter } | null {
    if (coupon.epoch !== this.#epoch || this.#isOutgrown(coupon)) this.#begin(coupon);
    const wasWhole = this.#table >= MEMBER_TABLES.length;
    if (!this.#readTables() || !this.#follow(coupon)) return null;
    if (!wasWhole) this.#changedSeq = coupon.seq;
    return { seq: this.#changedSeq, members: this.#members.build() };
  }

  /**
   * Whether the set is full and must be rebuilt, larger or without ended holds. A set of the largest size
   * stays until it has twice the members that there can be.
   */
  #isOutgrown(coupon: Coupon): boolean {
    return this.#members.isFull && (!this.#members.isLargest || this.#members.count > 2 * memberCountMax(coupon));
  }

  /** Begins a set with room for twice the current members. */
  #begin(coupon: Coupon): void {
    this.#epoch = coupon.epoch;
    this.#members = new BloomFilterBuilder(2 * memberCountMax(coupon));
    this.#table = 0;
    this.#after = BEGINNING;
    this.#seq = coupon.seq;
  }

  /** Reads more of the tables. Returns whether all is read. The ledger has what is added meanwhile. */
  #readTables(): boolean {
    for (let left = BYPASS_ROWS_MAX; left > 0;) {
      const table = MEMBER_TABLES[this.#table];
      if (table === undefined) return true;
      const rows = this.#store.members(table, this.#after, left);
      for (const member of rows) this.#add(member);
      this.#after = rows.at(-1) ?? BEGINNING;
      if (rows.length < left) {
        this.#table += 1;
        this.#after = BEGINNING;
      }
      left -= Math.max(rows.length, 1);
    }
    return this.#table >= MEMBER_TABLES.length;
  }

  /** Reads the events since the last call. Returns whether all are read. */
  #follow(coupon: Coupon): boolean {
    const events = this.#store.ledger.involved(this.#seq, BYPASS_ROWS_MAX);
    for (const member of events) if (this.#add(member)) this.#changedSeq = member.seq;
    const isWhole = events.length < BYPASS_ROWS_MAX;
    this.#seq = isWhole ? coupon.seq : (events.at(-1)?.seq ?? coupon.seq);
    return isWhole;
  }

  #add({ userId, key }: Pick<Member, "userId" | "key">): boolean {
    const isUserNew = this.#members.add(userMember(userId));
    const isKeyNew = key !== null && this.#members.add(keyMember(key));
    return isUserNew || isKeyNew;
  }
}

/** Returns the most members that there can be: every claim may have a key. */
function memberCountMax(coupon: Coupon): number {
  return 2 * coupon.claimed + coupon.held + revokedCount(coupon);
}
