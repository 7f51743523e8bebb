// Who may be told something else than "sold out": everybody who ever had a claim or a hold, gathered from the ledger.

import type { Coupon } from "../domain/coupon.ts";
import { CERTIFIER_ROWS_MAX } from "../domain/limits.ts";
import { Members, type Membership } from "../domain/membership.ts";
import { keyMember, userMember } from "../domain/sold-out.ts";
import type { CouponStore } from "./coupon-store.ts";

/**
 * The users of a coupon's ledger, and the keys of its claims. Follows the ledger from where it last looked, so that each event
 * is read once by an object that lives on. It forgets nobody: who gave a unit back is asked about once too often, which costs a hop.
 */
export class Certifier {
  readonly #store: CouponStore;
  #epoch = "";
  #members = new Members(0);
  /** The ledger has been read up to here. */
  #seq = 0;

  constructor(store: CouponStore) {
    this.#store = store;
  }

  /**
   * All of them as of the coupon's head, or null where they are too many for one filter, or not all read yet: a call reads a
   * bounded number of events, and the next one goes on.
   */
  membersOf(coupon: Coupon): Membership | null {
    if (coupon.epoch !== this.#epoch) this.#begin(coupon, 0);
    if (this.#members.isFull && this.#members.isLargest) return null;
    const events = this.#store.involved(this.#seq, CERTIFIER_ROWS_MAX);
    for (const { userId, key } of events) {
      this.#members.add(userMember(userId));
      if (key !== null) this.#members.add(keyMember(key));
    }
    this.#seq = events.length < CERTIFIER_ROWS_MAX ? coupon.seq : (events.at(-1)?.seq ?? coupon.seq);
    if (this.#members.isFull) {
      if (!this.#members.isLargest) this.#begin(coupon, coupon.seq);
      return null;
    }
    return this.#seq === coupon.seq ? this.#members.membership() : null;
  }

  /** Begins anew, with room for twice as many as there were claims and holds, and for `more`. */
  #begin(coupon: Coupon, more: number): void {
    this.#epoch = coupon.epoch;
    this.#members = new Members(2 * (coupon.lastPosition + coupon.held + more));
    this.#seq = 0;
  }
}
