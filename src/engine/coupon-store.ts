// The rows of one coupon, by name and type. Decides nothing.

import { assert } from "../domain/assert.ts";
import type { Claim, Hold } from "../domain/claim.ts";
import type { Coupon, Instant, NewCoupon } from "../domain/coupon.ts";
import { ROWS_AT_ONCE_MAX, ROWS_AT_ONCE_MIN } from "../domain/limits.ts";
import { outcomesIn, type OutcomeCounts } from "../domain/outcomes.ts";
import type { Release } from "../domain/release.ts";
import type { Sql } from "./sql.ts";
import * as statements from "./statements.ts";

/** What happens to a coupon, as the ledger calls it. */
export type EventKind = "created" | "changed" | "claimed" | "released" | "held" | "given_back" | "expired";

/** What happened, as the ledger has it: seq, at, kind, user, position, and JSON with what needs more. */
export type Event = readonly [number, Instant, EventKind, string | null, number | null, string | null];

export type StoredCoupon = { readonly coupon: Coupon; readonly outcomes: OutcomeCounts };

export class CouponStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  transaction<T>(work: () => T): T {
    return this.#sql.transaction(work);
  }

  /** Whether there is a coupon. */
  exists(): boolean {
    return this.#sql.all(statements.HAS_SCHEMA).length > 0;
  }

  /** Makes the tables and the coupon's row, whose ledger begins with its creation. */
  create(asked: NewCoupon, epoch: string, now: Instant, outcomes: OutcomeCounts): void {
    for (const statement of statements.SCHEMA) this.#sql.all(statement);
    const { name, amount, startsAt, endsAt } = asked;
    this.#sql.all(statements.INSERT_COUPON, name, amount, startsAt, endsAt, now, epoch, now, JSON.stringify(outcomes));
    this.append([[1, now, "created", null, null, JSON.stringify({ amount, starts_at: startsAt, ends_at: endsAt })]]);
  }

  /** The coupon as stored, once its own evidence has been heard. */
  read(): StoredCoupon {
    type Row = Omit<Coupon, "paused"> & {
      paused: number;
      schemaVersion: number;
      ledgerHead: number;
      ledgerPosition: number | null;
      outcomes: string;
    };
    const [row] = this.#sql.all<Row>(statements.SELECT_COUPON);
    assert(row !== undefined, "there is a coupon row");
    const { paused, schemaVersion, ledgerHead, ledgerPosition, outcomes, ...coupon } = row;
    assert(schemaVersion === statements.SCHEMA_VERSION, "the schema is the one that this version writes");
    assert(ledgerHead === coupon.seq, "the ledger ends where the coupon says");
    assert(ledgerPosition === null || ledgerPosition === coupon.lastPosition, "the ledger granted last what the coupon says");
    assert(coupon.claimed + coupon.held <= coupon.amount, "no more units given and held than there are");
    assert((coupon.held === 0) === (coupon.nextExpiryAt === null), "units are held exactly while there are holds");
    return { coupon: { ...coupon, paused: paused === 1 }, outcomes: outcomesIn(outcomes) };
  }

  /** The ledger's head as the coupon's row has it. */
  head(): number | undefined {
    return this.#sql.all<{ seq: number }>(statements.SELECT_HEAD)[0]?.seq;
  }

  /** Moves the stored coupon from `before` to `after`, its settings too if `isChanged`, and makes sure that it arrived there. */
  advance(before: Coupon, after: Coupon, isChanged: boolean, outcomes: OutcomeCounts): void {
    const [stored] = this.#sql.all<Pick<Coupon, "amount" | "claimed" | "held" | "lastPosition" | "seq">>(
      statements.ADVANCE_COUPON,
      after.claimed - before.claimed,
      after.held - before.held,
      after.lastPosition - before.lastPosition,
      after.seq - before.seq,
      after.clockAt,
      JSON.stringify(outcomes),
      after.amount - before.amount,
      isChanged ? 1 : 0,
      after.startsAt,
      after.endsAt,
      after.paused ? 1 : 0,
    );
    assert(stored !== undefined, "there is a coupon row");
    assert(stored.amount === after.amount, "stored and remembered amounts are equal");
    assert(stored.claimed === after.claimed, "stored and remembered units claimed are equal");
    assert(stored.held === after.held, "stored and remembered units held are equal");
    assert(stored.lastPosition === after.lastPosition, "stored and remembered last positions are equal");
    assert(stored.seq === after.seq, "stored and remembered ledger heads are equal");
  }

  /** Appends events to the ledger, in their order. */
  append(events: readonly Event[]): void {
    this.#insert(events, statements.INSERT_EVENT, statements.INSERT_EVENTS);
  }

  claimOf(userId: string): Claim | null {
    return this.#sql.all<Claim>(statements.SELECT_CLAIM, userId)[0] ?? null;
  }

  keyOwner(key: string): string | null {
    return this.#sql.all<{ userId: string }>(statements.SELECT_KEY_OWNER, key)[0]?.userId ?? null;
  }

  /** The claims that any of these users has. */
  claimsOf(userIds: readonly string[]): Claim[] {
    return this.#sql.all<Claim>(statements.SELECT_CLAIMS, JSON.stringify(userIds));
  }

  /** Whose claims carry any of these keys of callers. */
  keyOwners(keys: readonly string[]): { readonly key: string; readonly userId: string }[] {
    return this.#sql.all<{ key: string; userId: string }>(statements.SELECT_KEY_OWNERS, JSON.stringify(keys));
  }

  insertClaims(claims: readonly Claim[]): void {
    const rows = claims.map(({ userId, position, claimedAt, remainingAfter, key, attemptId }) => {
      return [userId, position, claimedAt, remainingAfter, key, attemptId];
    });
    this.#insert(rows, statements.INSERT_CLAIM, statements.INSERT_CLAIMS);
  }

  deleteClaim(userId: string): void {
    this.#sql.all(statements.DELETE_CLAIM, userId);
  }

  /** Who holds a claim, in claim order. */
  claimants(): string[] {
    return this.#sql.all<{ userId: string }>(statements.SELECT_CLAIMANTS).map(({ userId }) => userId);
  }

  /** Claims after `position`, which stands in the ledger at `seq` or later, each with its own `seq`. */
  page(after: { readonly position: number; readonly seq: number }, limit: number): (Claim & { readonly seq: number })[] {
    return this.#sql.all<Claim & { readonly seq: number }>(statements.SELECT_PAGE, after.seq, after.position, limit);
  }

  /** Who is in the ledger behind `seq`, with the keys of their claims: at most `limit` events. */
  involved(seq: number, limit: number): { readonly seq: number; readonly userId: string; readonly key: string | null }[] {
    return this.#sql.all<{ seq: number; userId: string; key: string | null }>(statements.SELECT_INVOLVED, seq, limit);
  }

  holdOf(userId: string): Hold | null {
    return this.#sql.all<Hold>(statements.SELECT_HOLD, userId)[0] ?? null;
  }

  insertHold({ userId, heldAt, expiresAt, attemptId }: Hold): void {
    this.#sql.all(statements.INSERT_HOLD, userId, heldAt, expiresAt, attemptId);
  }

  deleteHold(userId: string): void {
    this.#sql.all(statements.DELETE_HOLD, userId);
  }

  /** Whose holds are over at `now`. */
  expired(now: Instant): string[] {
    return this.#sql.all<{ userId: string }>(statements.SELECT_EXPIRED, now).map(({ userId }) => userId);
  }

  nextExpiryAt(): Instant | null {
    return this.#sql.all<{ nextExpiryAt: number | null }>(statements.SELECT_NEXT_EXPIRY)[0]?.nextExpiryAt ?? null;
  }

  /** One user's released claims, the last first. */
  releasesOf(userId: string): Release[] {
    const rows = this.#sql.all<Claim & { readonly releasedAt: number }>(statements.SELECT_RELEASES, userId);
    return rows.map(({ releasedAt, ...claim }) => ({ claim, releasedAt }));
  }

  insertRelease({ claim, releasedAt }: Release): void {
    const { userId, position, claimedAt, remainingAfter, key, attemptId } = claim;
    this.#sql.all(statements.INSERT_RELEASE, userId, position, claimedAt, remainingAfter, key, attemptId, releasedAt);
  }

  /** One by one while they are few: as JSON a row alone costs three times as much, and a thousand of them two thirds. */
  #insert(rows: readonly (readonly (string | number | null)[])[], one: string, many: string): void {
    if (rows.length < ROWS_AT_ONCE_MIN) for (const row of rows) this.#sql.all(one, ...row);
    else
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE_MAX)
        this.#sql.all(many, JSON.stringify(rows.slice(from, from + ROWS_AT_ONCE_MAX)));
  }
}
