// The draft of one batch: all changes of the coupon. It reads storage, and writes nothing before `save`.

import { assert } from "../domain/assert.ts";
import { userClaimOf, type Claim, type ClaimRequest, type Hold, type UserClaim } from "../domain/claim.ts";
import { revokedCount, settingsOf, windowPhase, type Coupon, type Instant } from "../domain/coupon.ts";
import type { HoldRequest } from "../domain/hold.ts";
import type { EventKind, LedgerEvent } from "../domain/ledger-event.ts";
import { ROWS_AT_ONCE_MIN } from "../domain/limits.ts";
import { ERASED_EVENTS_LISTED_MAX } from "../domain/delivery-limits.ts";
import { pseudonymized, pseudonymOf } from "../domain/pseudonym.ts";
import type { ClaimCounts } from "../domain/claim-counts.ts";
import type { RevokedClaim } from "../domain/revoke.ts";
import type { CouponStore } from "./coupon-store.ts";
import type { Erasure } from "./erasure-store.ts";
import type { ReleasedHold } from "./hold-store.ts";
import { Pending } from "./pending.ts";

type Changing = { -readonly [Field in keyof Coupon]: Coupon[Field] };

/** The changes of one coupon by the messages of a batch. Discard the draft if the batch fails. */
export class Draft {
  readonly store: CouponStore;
  readonly #before: Coupon;
  readonly #coupon: Changing;
  readonly #claims: Pending<Claim>;
  readonly #holds: Pending<Hold>;
  /** The user whose claim has each idempotency key, as far as it was read. */
  readonly #keyOwners = new Map<string, string | null>();
  readonly #revokedClaims: RevokedClaim[] = [];
  readonly #releasedHolds: ReleasedHold[] = [];
  readonly #events: LedgerEvent[] = [];
  /** The operator who sent the current message. */
  #actor: string | null = null;
  /** Whether the operator's settings have changed. */
  #isConfigured = false;
  #erasureKey: string | null;
  #erasure: Erasure | null = null;

  constructor(store: CouponStore, before: Coupon, erasureKey: string | null) {
    this.store = store;
    this.#before = before;
    this.#erasureKey = erasureKey;
    this.#coupon = { ...before };
    this.#claims = new Pending((userId) => store.claims.of(userId));
    this.#holds = new Pending((userId) => store.holds.of(userId));
  }

  /** The coupon with all changes so far. The same object changes with the next message. */
  get coupon(): Coupon {
    return this.#coupon;
  }

  /** The instant at which the current message is judged. */
  get at(): Instant {
    return this.#coupon.clockAt;
  }

  /** The key of the pseudonyms. Null while no user was erased. */
  get erasureKey(): string | null {
    return this.#erasureKey;
  }

  /** The ledger's head before the batch, as stored. */
  get storedSeq(): number {
    return this.#before.seq;
  }

  /**
   * Advances the coupon's time to `stamp`, and never back. Expires all holds that are due. The next events are
   * those of `actor`.
   */
  advanceTo(stamp: Instant, actor: string | null = null): void {
    this.#coupon.clockAt = Math.max(stamp, this.#coupon.clockAt);
    this.#actor = null;
    if (this.#coupon.nextExpiryAt !== null && this.#coupon.nextExpiryAt <= this.at) this.#expire();
    this.#actor = actor;
  }

  /** Reads the claims, holds and keys of many requests at once. One statement for each request costs more. */
  readAhead(requests: readonly (ClaimRequest | HoldRequest)[]): void {
    if (requests.length < ROWS_AT_ONCE_MIN) return;
    const userIds = requests.map(({ userId }) => userId);
    const keys = requests.flatMap((request) => ("key" in request && request.key !== null ? request.key : []));
    const hasHolds = this.#coupon.held > 0 || requests.some((request) => "ttlMs" in request);
    this.#claims.readAhead(userIds, this.store.claims.ofAll(userIds));
    if (hasHolds) this.#holds.readAhead(userIds, this.#coupon.held > 0 ? this.store.holds.ofAll(userIds) : []);
    if (keys.length === 0) return;
    for (const key of keys) this.#keyOwners.set(key, null);
    for (const { key, userId } of this.store.claims.keyOwners(keys)) this.#keyOwners.set(key, userId);
  }

  /** Returns what a user has. With `request`, `revoked` is the revoked claim that this same request made. */
  userClaim(userId: string, request: ClaimRequest | null = null): UserClaim {
    const existing = userClaimOf(this.#claims.of(userId));
    if (existing.inTheWay !== null) return existing;
    const hold = this.#coupon.held > 0 ? (this.#holds.of(userId)[0] ?? null) : null;
    const revoked = request !== null && revokedCount(this.#coupon) > 0 ? this.#revokedClaimOf(request) : null;
    return hold === null && revoked === null ? existing : { ...existing, hold, revoked };
  }

  /**
   * Returns the request under the pseudonym of its user, if an erased user has something there that decides it. Otherwise
   * the request itself: a new claim of an erased user has the id. Where no user was erased, this costs nothing.
   */
  identified<Request extends Pick<ClaimRequest, "userId" | "attemptId"> & Partial<ClaimRequest>>(request: Request): Request {
    const { userId, key = null } = request;
    if (this.#erasureKey === null || this.userClaim(userId).inTheWay !== null) return request;
    // Most users were never erased, so this comes before the other hashes.
    const alias = pseudonymOf(this.#erasureKey, userId);
    const { inTheWay, hold } = this.userClaim(alias);
    const isLive = inTheWay !== null || hold !== null;
    if (!isLive && this.revokedClaimsOf(alias).length === 0) return request;
    const hidden = pseudonymized(this.#erasureKey, { ...request, key });
    return isLive || this.#revokedClaimOf(hidden) !== null ? hidden : request;
  }

  /** As {@link identified}, for a message that only names a user. */
  identityOf(userId: string): string {
    return this.identified({ userId, attemptId: "" }).userId;
  }

  /** Returns the user whose claim has this idempotency key. */
  keyOwner(key: string): string | null {
    const known = this.#keyOwners.get(key);
    return known === undefined ? this.store.claims.keyOwner(key) : known;
  }

  /** Returns one user's revoked claims, the last first. Those from before an erasure are the pseudonym's. */
  revokedClaimsOf(userId: string): readonly RevokedClaim[] {
    const drafted = this.#revokedClaims.filter(({ claim }) => claim.userId === userId).toReversed();
    return [...drafted, ...this.store.claims.revokedOf(userId)];
  }

  /** As {@link revokedClaimsOf}, with those from before an erasure. */
  allRevokedClaimsOf(userId: string): readonly RevokedClaim[] {
    const alias = this.#erasureKey === null ? null : pseudonymOf(this.#erasureKey, userId);
    return [...this.revokedClaimsOf(userId), ...(alias === null ? [] : this.revokedClaimsOf(alias))];
  }

  /** Returns the events after a seq, those of the batch included. */
  eventsAfter(seq: number, limit: number): LedgerEvent[] {
    return [...this.store.ledger.events(seq, limit), ...this.#events.filter((event) => event.seq > seq)].slice(0, limit);
  }

  /** Whether this same request of the user made a hold that was released. */
  isHoldReleased(userId: string, attemptId: string): boolean {
    const isDrafted = this.#releasedHolds.some(([user, attempt]) => user === userId && attempt === attemptId);
    if (isDrafted || this.store.holds.isReleased(userId, attemptId)) return true;
    if (this.#erasureKey === null) return false;
    const hidden = pseudonymized(this.#erasureKey, { userId, attemptId });
    return this.store.holds.isReleased(hidden.userId, hidden.attemptId);
  }

  grant(claim: Claim, hold: Hold | null): void {
    this.#claims.set(claim.userId, [...this.#claims.of(claim.userId), claim]);
    if (claim.key !== null) this.#keyOwners.set(claim.key, claim.userId);
    this.#coupon.claimed += 1;
    this.#coupon.lastPosition = claim.position;
    this.#record("claimed", claim.userId, claim.position, hold === null ? {} : { wasHeld: true });
    if (hold !== null) this.#removeHold(hold.userId);
  }

  revoke(revoked: RevokedClaim): void {
    const { claim } = revoked;
    const others = this.#claims.of(claim.userId).filter(({ position }) => position !== claim.position);
    this.#claims.set(claim.userId, others);
    if (claim.key !== null) this.#keyOwners.set(claim.key, null);
    this.#revokedClaims.push(revoked);
    this.#coupon.claimed -= 1;
    this.#record("released", claim.userId, claim.position);
  }

  hold(hold: Hold): void {
    this.#holds.set(hold.userId, [hold]);
    this.#coupon.held += 1;
    this.#coupon.nextExpiryAt = Math.min(hold.expiresAt, this.#coupon.nextExpiryAt ?? hold.expiresAt);
    this.#record("held", hold.userId, null, { expiresAt: hold.expiresAt });
  }

  /** Returns a held unit to the stock. A late duplicate of the request that made the hold gets no other. */
  releaseHold({ userId, attemptId }: Hold): void {
    this.#releasedHolds.push([userId, attemptId, this.at]);
    this.#record("given_back", userId, null);
    this.#removeHold(userId);
  }

  /** Closes the sale for good. One event ends all holds, however many there are. */
  archive(): void {
    Object.assign(this.#coupon, { archivedAt: this.at, held: 0, nextExpiryAt: null });
    this.#record("archived", null, null);
  }

  /** Puts a pseudonym in the place of the user's id, in all rows and events. Returns the number of events. */
  erase(userId: string, newKey: string): number {
    const erasureKey = this.#erasureKey ?? newKey;
    const stored = this.store.erasures.seqsOf(userId);
    const seqs = [...stored, ...this.#events.filter((event) => event.userId === userId).map(({ seq }) => seq)];
    if (seqs.length === 0) return 0;
    const alias = pseudonymOf(erasureKey, userId);
    this.#claims.rename(userId, alias, (claim) => pseudonymized(erasureKey, claim));
    this.#holds.rename(userId, alias, (hold) => pseudonymized(erasureKey, hold));
    for (const [index, event] of this.#events.entries()) if (event.userId === userId) this.#events[index] = { ...event, userId: alias };
    for (let from = 0; from < seqs.length; from += ERASED_EVENTS_LISTED_MAX) {
      this.#record("erased", alias, null, { erasedSeqs: seqs.slice(from, from + ERASED_EVENTS_LISTED_MAX) });
    }
    this.#erasureKey = erasureKey;
    this.#erasure = { userId, alias, seqs: stored, erasureKey };
    return seqs.length;
  }

  configure(coupon: Coupon): void {
    const settings = settingsOf(coupon);
    this.#isConfigured = true;
    Object.assign(this.#coupon, settings);
    this.#record("changed", null, null, { settings });
  }

  /**
   * Whether there is anything to write. Time alone is written only if it has opened or ended the sale.
   * Answers have shown the new phase, and it must stay if the clock is set back.
   */
  get isChanged(): boolean {
    return this.#events.length > 0 || windowPhase(this.#before, this.#before.clockAt) !== windowPhase(this.#before, this.at);
  }

  /** Writes the rows and the counters. Call it inside a transaction. */
  save(claimCounts: ClaimCounts): void {
    const claims = this.#claims.changes();
    const holds = this.#holds.changes();
    this.store.claims.delete(claims.removed);
    this.store.claims.insert(claims.added);
    this.store.holds.delete(holds.removed);
    this.store.holds.insert(holds.added);
    if (this.#coupon.archivedAt !== this.#before.archivedAt) this.store.holds.deleteAll();
    for (const revoked of this.#revokedClaims) this.store.claims.insertRevoked(revoked);
    this.store.holds.insertReleased(this.#releasedHolds);
    if (this.#erasure !== null) this.store.erasures.erase(this.#erasure, this.store.claims, this.store.holds);
    this.store.ledger.append(this.#events);
    const claimed = claims.added.length - claims.removed.length;
    assert(claimed === this.#coupon.claimed - this.#before.claimed, "as many claims written as claimed grew");
    this.store.advance(this.#before, this.#coupon, this.#isConfigured, claimCounts);
  }

  #expire(): void {
    const due = this.#holds.merged(this.store.holds.expired(this.at)).filter(({ expiresAt }) => expiresAt <= this.at);
    this.#holds.readAhead(
      due.map(({ userId }) => userId),
      due,
    );
    for (const { userId } of due.toSorted((a, b) => a.expiresAt - b.expiresAt)) {
      this.#record("expired", userId, null);
      this.#removeHold(userId);
    }
    if (this.#coupon.held === 0) return;
    const drafted = this.#holds.changes().added.map(({ expiresAt }) => expiresAt);
    this.#coupon.nextExpiryAt = Math.min(this.store.holds.nextExpiryAt(this.at) ?? Infinity, ...drafted);
  }

  #removeHold(userId: string): void {
    this.#holds.set(userId, []);
    this.#coupon.held -= 1;
    if (this.#coupon.held === 0) this.#coupon.nextExpiryAt = null;
  }

  #record(
    kind: EventKind,
    userId: string | null,
    position: number | null,
    details: Pick<LedgerEvent, "settings" | "expiresAt" | "wasHeld" | "erasedSeqs"> = {},
  ): void {
    this.#coupon.seq += 1;
    this.#events.push({ seq: this.#coupon.seq, at: this.at, kind, actor: this.#actor, userId, position, ...details });
  }

  #revokedClaimOf({ userId, key, attemptId }: ClaimRequest): Claim | null {
    const made = this.revokedClaimsOf(userId).find(({ claim }) => claim.attemptId === attemptId || (key !== null && claim.key === key));
    return made?.claim ?? null;
  }
}
