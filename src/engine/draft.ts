// A coupon in the middle of a transaction: what is written as rows, and what it will be once they are committed.

import type { Claim, ClaimRequest, Hold, Own } from "../domain/claim.ts";
import { releasedCount, windowPhase, type Coupon, type Instant } from "../domain/coupon.ts";
import { ROWS_AT_ONCE_MIN } from "../domain/limits.ts";
import type { OutcomeCounts } from "../domain/outcomes.ts";
import type { Release } from "../domain/release.ts";
import type { CouponStore, Event, EventKind } from "./coupon-store.ts";

type Changing = { -readonly [Field in keyof Coupon]: Coupon[Field] };

/**
 * Changes of one coupon at one instant. New claims and events are kept until {@link Draft.save} writes them all at once; what
 * users have is told with them in mind. Throw it away when the transaction fails.
 */
export class Draft {
  readonly at: Instant;
  readonly #store: CouponStore;
  readonly #before: Coupon;
  readonly #coupon: Changing;
  /** Claims by user, and users by the key of their claim: those granted here, and those read ahead, which may be none. */
  readonly #claims = new Map<string, Claim | null>();
  readonly #keyOwners = new Map<string, string | null>();
  readonly #granted: Claim[] = [];
  readonly #events: Event[] = [];
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

  /** The coupon with all that was done so far. It changes with what is done next. */
  get coupon(): Coupon {
    return this.#coupon;
  }

  /** Reads at once what the users of a large batch have, because a statement for each would cost more. */
  readAhead(requests: readonly ClaimRequest[]): void {
    if (requests.length < ROWS_AT_ONCE_MIN) return;
    const userIds = requests.map(({ userId }) => userId);
    for (const userId of userIds) this.#claims.set(userId, null);
    for (const claim of this.#store.claimsOf(userIds)) this.#claims.set(claim.userId, claim);
    const keys = requests.flatMap(({ key }) => key ?? []);
    for (const key of keys) this.#keyOwners.set(key, null);
    if (keys.length > 0) for (const { key, userId } of this.#store.keyOwners(keys)) this.#keyOwners.set(key, userId);
  }

  /** What a user has; `released` is the claim that this very request once made. */
  own(userId: string, request: ClaimRequest | null = null): Own {
    const read = this.#claims.get(userId);
    const claim = read === undefined ? this.#store.claimOf(userId) : read;
    const hold = claim === null && this.#coupon.held > 0 ? this.#store.holdOf(userId) : null;
    const isLate = claim === null && request !== null && releasedCount(this.#coupon) > 0;
    return { claim, hold, released: isLate ? this.#releasedBy(request) : null };
  }

  /** Whose claim carries this key of a caller. */
  keyOwner(key: string): string | null {
    const read = this.#keyOwners.get(key);
    return read === undefined ? this.#store.keyOwner(key) : read;
  }

  grant(claim: Claim, hold: Hold | null): void {
    this.#granted.push(claim);
    this.#claims.set(claim.userId, claim);
    if (claim.key !== null) this.#keyOwners.set(claim.key, claim.userId);
    this.#coupon.claimed += 1;
    this.#coupon.lastPosition = claim.position;
    this.#happened("claimed", claim.userId, claim.position);
    if (hold === null) return;
    this.#store.deleteHold(hold.userId);
    this.#coupon.held -= 1;
    this.#refreshExpiry(hold);
  }

  release({ claim, releasedAt }: Release): void {
    this.#store.deleteClaim(claim.userId);
    this.#store.insertRelease({ claim, releasedAt });
    this.#coupon.claimed -= 1;
    this.#happened("released", claim.userId, claim.position);
  }

  keep(hold: Hold): void {
    this.#store.insertHold(hold);
    this.#coupon.held += 1;
    this.#coupon.nextExpiryAt = Math.min(hold.expiresAt, this.#coupon.nextExpiryAt ?? hold.expiresAt);
    this.#happened("held", hold.userId, null, { expires_at: hold.expiresAt });
  }

  /** Gives a held unit back to the stock. */
  giveBack(hold: Hold): void {
    this.#endHold(hold.userId, "given_back");
    this.#refreshExpiry(hold);
  }

  configure({ amount, startsAt, endsAt, paused }: Coupon): void {
    this.#isChanged = true;
    Object.assign(this.#coupon, { amount, startsAt, endsAt, paused });
    this.#happened("changed", null, null, { amount, starts_at: startsAt, ends_at: endsAt, paused: paused ? 1 : 0 });
  }

  /**
   * Writes the rows and the counters, if there is anything to write, and answers the coupon as it is then. That time has
   * passed is written only where it opened or ended the sale: what was told of that must stay true if the clock steps back.
   * `isFlush` writes the counters in any case.
   */
  save(outcomes: OutcomeCounts, isFlush: boolean): { readonly coupon: Coupon; readonly isSaved: boolean } {
    this.#store.insertClaims(this.#granted);
    this.#store.append(this.#events);
    const isTurningPoint = windowPhase(this.#before, this.#before.clockAt) !== windowPhase(this.#before, this.at);
    const isSaved = this.#events.length > 0 || isTurningPoint || isFlush;
    if (isSaved) this.#store.advance(this.#before, this.#coupon, this.#isChanged, outcomes);
    return { coupon: this.#coupon, isSaved };
  }

  #expire(): void {
    for (const userId of this.#store.expired(this.at)) this.#endHold(userId, "expired");
    this.#coupon.nextExpiryAt = this.#store.nextExpiryAt();
  }

  #endHold(userId: string, kind: "given_back" | "expired"): void {
    this.#store.deleteHold(userId);
    this.#coupon.held -= 1;
    this.#happened(kind, userId, null);
  }

  #happened(kind: EventKind, userId: string | null, position: number | null, more: object | null = null): void {
    this.#coupon.seq += 1;
    this.#events.push([this.#coupon.seq, this.at, kind, userId, position, more === null ? null : JSON.stringify(more)]);
  }

  /** Looks for the next expiry only where the hold that went was the next. */
  #refreshExpiry({ expiresAt }: Hold): void {
    if (expiresAt === this.#coupon.nextExpiryAt) this.#coupon.nextExpiryAt = this.#store.nextExpiryAt();
  }

  #releasedBy({ userId, key, attemptId }: ClaimRequest): Claim | null {
    const made = this.#store.releasesOf(userId).find(({ claim }) => claim.attemptId === attemptId || (key !== null && claim.key === key));
    return made?.claim ?? null;
  }
}
