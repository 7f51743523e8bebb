// A coupon in the middle of a transaction: what is written as rows, and what it will be once they are committed.

import type { Claim, ClaimRequest, Hold, Own } from "../domain/claim.ts";
import { releasedCount, windowPhase, type Coupon, type Instant } from "../domain/coupon.ts";
import type { OutcomeCounts } from "../domain/outcomes.ts";
import type { Release } from "../domain/release.ts";
import type { SqlRow } from "./sql.ts";
import type { CouponStore, EventKind } from "./coupon-store.ts";

/** Changes of one coupon at one instant. Throw it away when the transaction fails. */
export class Draft {
  readonly at: Instant;
  readonly #store: CouponStore;
  readonly #before: Coupon;
  #coupon: Coupon;
  /** Whether the operator's settings are others than before. */
  #isChanged = false;

  /** Begins at `now`, or later if the coupon has seen later, with every hold that is over given up. */
  constructor(store: CouponStore, before: Coupon, now: Instant) {
    this.at = Math.max(now, before.clockAt);
    this.#store = store;
    this.#before = before;
    this.#coupon = { ...before, clockAt: this.at };
    if (this.#coupon.nextExpiryAt !== null && this.#coupon.nextExpiryAt <= this.at) this.#expire();
  }

  /** The coupon with all that was done so far. */
  get coupon(): Coupon {
    return this.#coupon;
  }

  /** What a user has; `released` is the claim that this very request once made. */
  own(userId: string, request: ClaimRequest | null = null): Own {
    const claim = this.#store.claimOf(userId);
    const hold = claim === null && this.#coupon.held > 0 ? this.#store.holdOf(userId) : null;
    const isLate = claim === null && request !== null && releasedCount(this.#coupon) > 0;
    return { claim, hold, released: isLate ? this.#releasedBy(request) : null };
  }

  grant(claim: Claim, hold: Hold | null): void {
    if (hold !== null) this.#store.deleteHold(hold.userId);
    this.#store.insertClaim(claim);
    this.#happened("claimed", claim.userId, claim.position, null, {
      claimed: this.#coupon.claimed + 1,
      held: this.#coupon.held - (hold === null ? 0 : 1),
      lastPosition: claim.position,
    });
    if (hold !== null) this.#refreshExpiry(hold);
  }

  release({ claim, releasedAt }: Release): void {
    this.#store.deleteClaim(claim.userId);
    this.#store.insertRelease({ claim, releasedAt });
    this.#happened("released", claim.userId, claim.position, null, { claimed: this.#coupon.claimed - 1 });
  }

  keep(hold: Hold): void {
    this.#store.insertHold(hold);
    const nextExpiryAt = Math.min(hold.expiresAt, this.#coupon.nextExpiryAt ?? hold.expiresAt);
    this.#happened("held", hold.userId, null, { expires_at: hold.expiresAt }, { held: this.#coupon.held + 1, nextExpiryAt });
  }

  /** Gives a held unit back to the stock. */
  giveBack(hold: Hold): void {
    this.#endHold(hold.userId, "given_back");
    this.#refreshExpiry(hold);
  }

  configure(coupon: Coupon): void {
    const { amount, startsAt, endsAt, paused } = coupon;
    this.#isChanged = true;
    const data = { amount, starts_at: startsAt, ends_at: endsAt, paused: paused ? 1 : 0 };
    this.#happened("changed", null, null, data, { amount, startsAt, endsAt, paused });
  }

  /**
   * Writes the counters, if there is anything to write, and answers the coupon as it is then. That time has passed is
   * written only where it opened or ended the sale: what was told of that must stay true if the clock steps back.
   * `isFlush` writes them in any case.
   */
  save(outcomes: OutcomeCounts, isFlush: boolean): { readonly coupon: Coupon; readonly isSaved: boolean } {
    const isTurningPoint = windowPhase(this.#before, this.#before.clockAt) !== windowPhase(this.#before, this.at);
    const isSaved = this.#coupon.seq !== this.#before.seq || isTurningPoint || isFlush;
    if (isSaved) this.#store.advance(this.#before, this.#coupon, this.#isChanged, outcomes);
    return { coupon: this.#coupon, isSaved };
  }

  #expire(): void {
    for (const userId of this.#store.expired(this.at)) this.#endHold(userId, "expired");
    this.#coupon = { ...this.#coupon, nextExpiryAt: this.#store.nextExpiryAt() };
  }

  #endHold(userId: string, kind: "given_back" | "expired"): void {
    this.#store.deleteHold(userId);
    this.#happened(kind, userId, null, null, { held: this.#coupon.held - 1 });
  }

  #happened(kind: EventKind, userId: string | null, position: number | null, data: SqlRow | null, change: Partial<Coupon>): void {
    this.#coupon = { ...this.#coupon, ...change, seq: this.#coupon.seq + 1 };
    this.#store.append(this.#coupon.seq, this.at, kind, userId, position, data);
  }

  /** Looks for the next expiry only where the hold that went was the next. */
  #refreshExpiry({ expiresAt }: Hold): void {
    if (expiresAt !== this.#coupon.nextExpiryAt) return;
    this.#coupon = { ...this.#coupon, nextExpiryAt: this.#store.nextExpiryAt() };
  }

  #releasedBy({ userId, key, attemptId }: ClaimRequest): Claim | null {
    const made = this.#store.releasesOf(userId).find(({ claim }) => claim.attemptId === attemptId || (key !== null && claim.key === key));
    return made?.claim ?? null;
  }
}
