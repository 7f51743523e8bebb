// The coupon's own row and its statements, and the stores of its other rows. No rule is here.

import { assert } from "../domain/assert.ts";
import { claimCountsFrom, type ClaimCounts } from "../domain/claim-counts.ts";
import { named, SETTING_NAMES, settingsOf, type Changeable, type Coupon, type Instant, type NewCoupon } from "../domain/coupon.ts";
import type { LedgerEvent } from "../domain/ledger-event.ts";
import { ClaimStore } from "./claim-store.ts";
import { DepartedStore } from "./departed-store.ts";
import { ErasureStore } from "./erasure-store.ts";
import { HoldStore } from "./hold-store.ts";
import { LedgerStore } from "./ledger-store.ts";
import { MIGRATIONS, SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import type { Sql, SqlValue, Stored } from "./sql.ts";

/** A newer version of the code wrote these tables. This version must not touch them. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";
}

const SETTINGS = Object.entries(SETTING_NAMES);
const COLUMNS = Object.values(SETTING_NAMES);

/** The settings of a coupon as values of {@link COLUMNS}. */
function bindings(coupon: Changeable): SqlValue[] {
  return Object.values(named(coupon)).map((value) => (typeof value === "boolean" ? Number(value) : value));
}

/** For a transaction of claims, which change no setting. */
const UNCHANGED = COLUMNS.map(() => null);

/** `erasureKey` makes the pseudonyms of erased users. It is null while there are none. */
export type StoredCoupon = { readonly coupon: Coupon; readonly claimCounts: ClaimCounts; readonly erasureKey: string | null };

export class CouponStore {
  readonly claims: ClaimStore;
  readonly holds: HoldStore;
  readonly ledger: LedgerStore;
  readonly departed: DepartedStore;
  readonly erasures: ErasureStore;
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.claims = new ClaimStore(sql);
    this.holds = new HoldStore(sql);
    this.ledger = new LedgerStore(sql);
    this.departed = new DepartedStore(sql);
    this.erasures = new ErasureStore(sql);
  }

  transaction<T>(work: () => T): T {
    return this.#sql.transaction(work);
  }

  /** Removes everything that is stored. */
  deleteAll(): void {
    this.#sql.deleteAll();
  }

  /** Whether there is a coupon. Writes nothing. */
  static readonly HAS_SCHEMA = `SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'coupon'`;
  exists(): boolean {
    return this.#sql.all(CouponStore.HAS_SCHEMA).length > 0;
  }

  /** Writes 1 row. */
  static readonly INSERT_COUPON = `
    INSERT INTO coupon (id, schema_version, claimed, held, last_position, seq, name, created_at, epoch, clock_at, outcomes, ${COLUMNS.join(", ")})
    VALUES (1, ${SCHEMA_VERSION}, 0, 0, 0, 1, ?, ?, ?, ?, ?, ${COLUMNS.map(() => "?").join(", ")})`;
  /** Creates the tables, the coupon's row, and the first event of its ledger. */
  create(coupon: NewCoupon, epoch: string, now: Instant, claimCounts: ClaimCounts, by: Pick<LedgerEvent, "actor" | "key">): void {
    for (const statement of SCHEMA) this.#sql.all(statement);
    const settings = settingsOf({ ...coupon, paused: false });
    const written = JSON.stringify(claimCounts);
    this.#sql.all(CouponStore.INSERT_COUPON, coupon.name, now, epoch, now, written, ...bindings(settings));
    const event = {
      seq: 1,
      at: now,
      kind: "created",
      ...by,
      userId: null,
      position: null,
      settings,
    } as const;
    this.ledger.append([event]);
  }

  /** The version of the tables. Writes nothing. */
  static readonly SELECT_SCHEMA_VERSION = `SELECT schema_version AS version FROM coupon`;
  /**
   * Returns the stored coupon after checking it. Migrates tables of an older version. Throws
   * {@link NewerSchema}.
   */
  load(): StoredCoupon {
    const [found] = this.#sql.all<{ version: number }>(CouponStore.SELECT_SCHEMA_VERSION);
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

  /**
   * The coupon, and two facts from the ledger to compare it with: the head and the last granted position. The
   * position is null if the last 64 events have no claim. Writes nothing. Reads at most 68 rows.
   */
  static readonly SELECT_COUPON = `
    SELECT name, claimed, held, last_position AS lastPosition, seq, created_at AS createdAt, epoch, archived_at AS archivedAt, clock_at AS clockAt,
           outcomes, erasure_key AS erasureKey, ${SETTINGS.map(([field, column]) => `${column} AS ${field}`).join(", ")},
           (SELECT min(expires_at) FROM holds) AS nextExpiryAt,
           (SELECT max(seq) FROM ledger) AS ledgerHead,
           (SELECT position FROM ledger WHERE seq > (SELECT max(seq) FROM ledger) - 64 AND kind = 'claimed' ORDER BY seq DESC LIMIT 1) AS ledgerPosition
    FROM coupon`;
  #read(): StoredCoupon {
    type Row = Stored<Coupon> & { ledgerHead: number; ledgerPosition: number | null; outcomes: string; erasureKey: string | null };
    const [row] = this.#sql.all<Row>(CouponStore.SELECT_COUPON);
    assert(row !== undefined, "there is a coupon row");
    const { paused, ledgerHead, ledgerPosition, outcomes, erasureKey, ...coupon } = row;
    assert(ledgerHead === coupon.seq, "the ledger ends where the coupon says");
    assert(ledgerPosition === null || ledgerPosition === coupon.lastPosition, "the ledger granted last what the coupon says");
    assert(coupon.claimed + coupon.held <= coupon.amount, "no more units given and held than there are");
    assert((coupon.held === 0) === (coupon.nextExpiryAt === null), "units are held exactly while there are holds");
    return { coupon: { ...coupon, paused: paused === 1 }, claimCounts: claimCountsFrom(outcomes), erasureKey };
  }

  /** The stored ledger head. Writes nothing. Reads 1 row. */
  static readonly SELECT_HEAD = `SELECT seq FROM coupon`;
  head(): number | undefined {
    return this.#sql.all<{ seq: number }>(CouponStore.SELECT_HEAD)[0]?.seq;
  }

  /**
   * Adds the changes of a transaction to the stored counters. If `?8` is 1, sets the operator's settings, from
   * `?9` on. The additions start from the stored values, not from those in memory, so the table's checks test
   * the real values. The returned row lets memory compare. Writes 1 row.
   */
  static readonly ADVANCE_COUPON = `
    UPDATE coupon
    SET claimed = claimed + ?1, held = held + ?2, last_position = last_position + ?3, seq = seq + ?4, clock_at = max(clock_at, ?5), outcomes = ?6,
        archived_at = ?7, ${COLUMNS.map((column, index) => `${column} = iif(?8, ?${index + 9}, ${column})`).join(", ")}
    RETURNING amount, claimed, held, last_position AS lastPosition, seq`;
  /**
   * Changes the stored coupon from `before` to `after`, and asserts the result. With `isChanged`, the
   * settings too.
   */
  advance(before: Coupon, after: Coupon, isChanged: boolean, claimCounts: ClaimCounts): void {
    const [stored] = this.#sql.all<Pick<Coupon, "amount" | "claimed" | "held" | "lastPosition" | "seq">>(
      CouponStore.ADVANCE_COUPON,
      after.claimed - before.claimed,
      after.held - before.held,
      after.lastPosition - before.lastPosition,
      after.seq - before.seq,
      after.clockAt,
      JSON.stringify(claimCounts),
      after.archivedAt,
      isChanged ? 1 : 0,
      ...(isChanged ? bindings(after) : UNCHANGED),
    );
    assert(stored !== undefined, "there is a coupon row");
    assert(stored.amount === after.amount, "stored and remembered amounts are equal");
    assert(stored.claimed === after.claimed, "stored and remembered units claimed are equal");
    assert(stored.held === after.held, "stored and remembered units held are equal");
    assert(stored.lastPosition === after.lastPosition, "stored and remembered last positions are equal");
    assert(stored.seq === after.seq, "stored and remembered ledger heads are equal");
  }

  /** Members of the bypass set after a primary key, one statement for each table. They write nothing. */
  static readonly SELECT_CLAIM_MEMBERS = `
    SELECT user_id AS userId, position, idempotency_key AS key FROM claims
    WHERE (user_id, position) > (?1, ?2) ORDER BY user_id, position LIMIT ?3`;
  static readonly SELECT_HOLD_MEMBERS = `
    SELECT user_id AS userId, 0 AS position, NULL AS key FROM holds
    WHERE (user_id, 0) > (?1, ?2) ORDER BY user_id LIMIT ?3`;
  static readonly SELECT_REVOKED_MEMBERS = `
    SELECT user_id AS userId, position, NULL AS key FROM releases
    WHERE (user_id, position) > (?1, ?2) ORDER BY user_id, position LIMIT ?3`;

  /** Returns members of one of {@link MEMBER_TABLES} after a row, in the order of the primary key. */
  members(table: string, after: Pick<Member, "userId" | "position">, limit: number): Member[] {
    return this.#sql.all<Member>(table, after.userId, after.position, limit);
  }
}

/** A row that puts its user, and its idempotency key, into the bypass set. A hold has the position 0. */
export type Member = { readonly userId: string; readonly position: number; readonly key: string | null };

/** The statements that the bypass set is built from, one for each table. */
export const MEMBER_TABLES = [
  CouponStore.SELECT_CLAIM_MEMBERS,
  CouponStore.SELECT_HOLD_MEMBERS,
  CouponStore.SELECT_REVOKED_MEMBERS,
] as const;
