// The rows of one coupon, by name and type. Decides nothing.

import { assert } from "../domain/assert.ts";
import type { Claim, Hold } from "../domain/claim.ts";
import type { Coupon, Instant, NewCoupon, Settings } from "../domain/coupon.ts";
import { ROWS_AT_ONCE_MAX, ROWS_AT_ONCE_MIN } from "../domain/limits.ts";
import { claimCountsFrom, type ClaimCounts } from "../domain/claim-counts.ts";
import type { RevokedClaim } from "../domain/revoke.ts";
import type { Sql } from "./sql.ts";
import { MIGRATIONS, SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import * as statements from "./statements.ts";

/** What happens to a coupon, as the ledger calls it. */
export type EventKind = "created" | "changed" | "claimed" | "released" | "held" | "given_back" | "expired";

/** What happened, as the ledger has it: seq, at, kind, user, position, and JSON with what needs more. */
export type Event = readonly [number, Instant, EventKind, string | null, number | null, string | null];

/** A newer version of the code wrote these tables: this one must not touch them. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";
}

/** A member of the bypass set: a user, and the key of their claim. */
export type Member = { readonly userId: string; readonly key: string | null };

/** The tables that the bypass set is built from. */
export const MEMBER_TABLES = [statements.SELECT_CLAIM_MEMBERS, statements.SELECT_HOLD_MEMBERS, statements.SELECT_REVOKED_MEMBERS] as const;

type Cell = string | number | null;

export type StoredCoupon = { readonly coupon: Coupon; readonly outcomes: ClaimCounts };

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

  /** Removes all that the coupon ever stored. */
  deleteAll(): void {
    this.#sql.deleteAll();
  }

  /** Makes the tables and the coupon's row, whose ledger begins with its creation. */
  create(asked: NewCoupon, epoch: string, now: Instant, outcomes: ClaimCounts): void {
    for (const statement of SCHEMA) this.#sql.all(statement);
    const { name, amount, startsAt, endsAt, holdSecondsMax, holdsMax } = asked;
    const written = JSON.stringify(outcomes);
    this.#sql.all(statements.INSERT_COUPON, name, amount, startsAt, endsAt, holdSecondsMax, holdsMax, now, epoch, now, written);
    this.append([[1, now, "created", null, null, JSON.stringify(settingsData(asked))]]);
  }

  /** The coupon as stored, once its own evidence was checked. Tables of an older version are migrated; throws {@link NewerSchema}. */
  load(): StoredCoupon {
    const [found] = this.#sql.all<{ version: number }>(statements.SELECT_SCHEMA_VERSION);
    assert(found !== undefined, "there is a coupon row");
    if (found.version > SCHEMA_VERSION) throw new NewerSchema(`the tables are of version ${found.version}, newer than ${SCHEMA_VERSION}`);
    return found.version === SCHEMA_VERSION ? this.#read() : this.transaction(() => this.#migrated(found.version));
  }

  #migrated(version: number): StoredCoupon {
    for (let from = version; from < SCHEMA_VERSION; from += 1) {
      const steps = MIGRATIONS[from];
      assert(steps !== undefined, "there is a way from every older version");
      for (const statement of steps) this.#sql.all(statement);
    }
    return this.#read();
  }

  #read(): StoredCoupon {
    type Row = Omit<Coupon, "paused"> & { paused: number; ledgerHead: number; ledgerPosition: number | null; outcomes: string };
    const [row] = this.#sql.all<Row>(statements.SELECT_COUPON);
    assert(row !== undefined, "there is a coupon row");
    const { paused, ledgerHead, ledgerPosition, outcomes, ...coupon } = row;
    assert(ledgerHead === coupon.seq, "the ledger ends where the coupon says");
    assert(ledgerPosition === null || ledgerPosition === coupon.lastPosition, "the ledger granted last what the coupon says");
    assert(coupon.claimed + coupon.held <= coupon.amount, "no more units given and held than there are");
    assert((coupon.held === 0) === (coupon.nextExpiryAt === null), "units are held exactly while there are holds");
    return { coupon: { ...coupon, paused: paused === 1 }, outcomes: claimCountsFrom(outcomes) };
  }

  /** The ledger's head as the coupon's row has it. */
  head(): number | undefined {
    return this.#sql.all<{ seq: number }>(statements.SELECT_HEAD)[0]?.seq;
  }

  /** Moves the stored coupon from `before` to `after`, its settings too if `isChanged`, and makes sure that it arrived there. */
  advance(before: Coupon, after: Coupon, isChanged: boolean, outcomes: ClaimCounts): void {
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
      after.holdSecondsMax,
      after.holdsMax,
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

  deleteClaims(userIds: Iterable<string>): void {
    for (const userId of userIds) this.#sql.all(statements.DELETE_CLAIM, userId);
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

  /** Members that a table of {@link MEMBER_TABLES} has behind a user id, in the order of those. */
  members(table: (typeof MEMBER_TABLES)[number], after: string, limit: number): Member[] {
    return this.#sql.all<Member>(table, after, limit);
  }

  holdOf(userId: string): Hold | null {
    return this.#sql.all<Hold>(statements.SELECT_HOLD, userId)[0] ?? null;
  }

  /** The holds that any of these users has. */
  holdsOf(userIds: readonly string[]): Hold[] {
    return this.#sql.all<Hold>(statements.SELECT_HOLDS, JSON.stringify(userIds));
  }

  /** Holds that run at `now`, by user id. */
  holdsPage(after: string, limit: number, now: Instant): Hold[] {
    return this.#sql.all<Hold>(statements.SELECT_HOLDS_PAGE, after, now, limit);
  }

  insertHolds(holds: Iterable<Hold>): void {
    const rows = Array.from(holds, ({ userId, heldAt, expiresAt, attemptId }) => [userId, heldAt, expiresAt, attemptId]);
    this.#insert(rows, statements.INSERT_HOLD, statements.INSERT_HOLDS);
  }

  deleteHolds(userIds: Iterable<string>): void {
    const rows = Array.from(userIds, (userId) => [userId]);
    this.#insert(rows, statements.DELETE_HOLD, statements.DELETE_HOLDS);
  }

  /** Holds that are over at `now`, first the one that ended first. */
  expired(now: Instant): Hold[] {
    return this.#sql.all<Hold>(statements.SELECT_EXPIRED, now);
  }

  /** When the first hold expires that still runs at `now`. */
  nextExpiryAt(now: Instant): Instant | null {
    return this.#sql.all<{ nextExpiryAt: number | null }>(statements.SELECT_NEXT_EXPIRY, now)[0]?.nextExpiryAt ?? null;
  }

  isHoldReleased(userId: string, attemptId: string): boolean {
    return this.#sql.all(statements.SELECT_RELEASED_HOLD, userId, attemptId).length > 0;
  }

  insertReleasedHolds(rows: readonly (readonly [userId: string, attemptId: string, releasedAt: Instant])[]): void {
    this.#insert(rows, statements.INSERT_RELEASED_HOLD, statements.INSERT_RELEASED_HOLDS);
  }

  /** One user's revoked claims, the last first. */
  revokedClaimsOf(userId: string): RevokedClaim[] {
    const rows = this.#sql.all<Claim & { readonly revokedAt: number }>(statements.SELECT_REVOKED_CLAIMS, userId);
    return rows.map(({ revokedAt, ...claim }) => ({ claim, revokedAt }));
  }

  insertRevokedClaim({ claim, revokedAt }: RevokedClaim): void {
    const { userId, position, claimedAt, remainingAfter, key, attemptId } = claim;
    this.#sql.all(statements.INSERT_REVOKED_CLAIM, userId, position, claimedAt, remainingAfter, key, attemptId, revokedAt);
  }

  /** One by one while they are few: as JSON a row alone costs three times as much, and a thousand of them two thirds. */
  #insert(rows: readonly (readonly Cell[])[], one: string, many: string): void {
    if (rows.length < ROWS_AT_ONCE_MIN) for (const row of rows) this.#sql.all(one, ...row);
    else
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE_MAX)
        this.#sql.all(many, JSON.stringify(rows.slice(from, from + ROWS_AT_ONCE_MAX)));
  }
}

/** An operator's settings, as the ledger has them. */
export function settingsData({ amount, startsAt, endsAt, holdSecondsMax, holdsMax }: Settings) {
  return { amount, starts_at: startsAt, ends_at: endsAt, hold_seconds_max: holdSecondsMax, holds_max: holdsMax };
}
