// The ledger: the coupon's events in order, and the reads that use this order.

import type { Claim } from "../domain/claim.ts";
import type { Instant } from "../domain/coupon.ts";
import { writeRows } from "./rows.ts";
import type { Sql } from "./sql.ts";

/** The kinds of events. A revoke is `released`, a released hold is `given_back`. */
export type EventKind = "created" | "changed" | "claimed" | "released" | "held" | "given_back" | "expired";

/** One event: seq, at, kind, user, position, and JSON with more details. */
export type Event = readonly [number, Instant, EventKind, string | null, number | null, string | null];

export class LedgerStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Writes 1 row. */
  static readonly INSERT_EVENT = `INSERT INTO ledger (seq, at, kind, user_id, position, data) VALUES (?, ?, ?, ?, ?, ?)`;
  /** As {@link INSERT_EVENT}, for each of a JSON array of such rows. */
  static readonly INSERT_EVENTS = `
    INSERT INTO ledger (seq, at, kind, user_id, position, data)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`;
  append(events: readonly Event[]): void {
    writeRows(this.#sql, events, LedgerStore.INSERT_EVENT, LedgerStore.INSERT_EVENTS);
  }

  /** The users with a claim, in claim order. Writes nothing. */
  static readonly SELECT_CLAIMANTS = `
    SELECT claims.user_id AS userId
    FROM ledger CROSS JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
    WHERE ledger.kind = 'claimed'
    ORDER BY ledger.seq`;
  claimants(): string[] {
    return this.#sql.all<{ userId: string }>(LedgerStore.SELECT_CLAIMANTS).map(({ userId }) => userId);
  }

  /**
   * Claims in the order of their positions. The ledger has the same order, so `claims` needs no second index.
   * `?1` is an event that comes before the whole page. Writes nothing.
   */
  static readonly SELECT_PAGE = `
    SELECT claims.user_id AS userId, claims.position, claimed_at AS claimedAt, remaining_after AS remainingAfter, idempotency_key AS key,
           attempt_id AS attemptId, ledger.seq
    FROM ledger CROSS JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
    WHERE ledger.seq > ?1 AND ledger.position > ?2 AND ledger.kind = 'claimed'
    ORDER BY ledger.seq LIMIT ?3`;
  page(after: { readonly position: number; readonly seq: number }, limit: number): (Claim & { readonly seq: number })[] {
    return this.#sql.all<Claim & { readonly seq: number }>(LedgerStore.SELECT_PAGE, after.seq, after.position, limit);
  }

  /** The users of the events after a seq, each with the key of the current claim. Writes nothing. */
  static readonly SELECT_INVOLVED = `
    SELECT ledger.seq, ledger.user_id AS userId, claims.idempotency_key AS key
    FROM ledger LEFT JOIN claims ON claims.user_id = ledger.user_id
    WHERE ledger.seq > ? AND ledger.user_id IS NOT NULL
    ORDER BY ledger.seq LIMIT ?`;
  involved(seq: number, limit: number): { readonly seq: number; readonly userId: string; readonly key: string | null }[] {
    return this.#sql.all<{ seq: number; userId: string; key: string | null }>(LedgerStore.SELECT_INVOLVED, seq, limit);
  }
}
