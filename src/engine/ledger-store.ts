// The ledger: the coupon's events in order, and the reads that use this order.

import type { Claim } from "../domain/claim.ts";
import { SETTING_NAMES, type Changeable, type Instant } from "../domain/coupon.ts";
import { dataOf, type LedgerEvent } from "../domain/ledger-event.ts";
import { ROWS_AT_ONCE_MAX, TEXT_EVENTS_AT_ONCE_MAX } from "../domain/limits.ts";
import { writeRows } from "./rows.ts";
import { SETTINGS_BEFORE } from "./schema.ts";
import type { Sql, Stored } from "./sql.ts";

type EventRow = Pick<LedgerEvent, "seq" | "at" | "kind" | "actor" | "userId" | "position"> & {
  readonly expiresAt: Instant | null;
  readonly key: string | null;
  readonly wasHeld: 1 | null;
  /** A JSON array. */
  readonly erasedSeqs: string | null;
  /** Null if the event has no settings. */
  readonly amount: number | null;
} & Omit<Stored<Changeable>, "amount">;

const SETTINGS = Object.entries(SETTING_NAMES).map(
  ([field, name]) => `ifnull(data ->> '${name}', ${SETTINGS_BEFORE[name] ?? null}) AS ${field}`,
);

export class LedgerStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Writes 1 row. */
  static readonly INSERT_EVENT = `INSERT INTO ledger (seq, at, kind, user_id, position, data, actor) VALUES (?, ?, ?, ?, ?, ?, ?)`;
  /** As {@link INSERT_EVENT}, for each of a JSON array of such rows. */
  static readonly INSERT_EVENTS = `
    INSERT INTO ledger (seq, at, kind, user_id, position, data, actor)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)`;
  append(events: readonly LedgerEvent[]): void {
    const rows = events.map((event) => [event.seq, event.at, event.kind, event.userId, event.position, dataOf(event), event.actor]);
    const hasTexts = events.some(({ settings }) => settings !== undefined);
    const atOnceMax = hasTexts ? TEXT_EVENTS_AT_ONCE_MAX : ROWS_AT_ONCE_MAX;
    writeRows(this.#sql, rows, LedgerStore.INSERT_EVENT, LedgerStore.INSERT_EVENTS, atOnceMax);
  }

  /** The events after a seq. Writes nothing. */
  static readonly SELECT_EVENTS = (table: string): string => `
    SELECT seq, at, kind, actor, user_id AS userId, position, data ->> 'expires_at' AS expiresAt, data ->> 'idempotency_key' AS key,
           data ->> 'was_held' AS wasHeld, data ->> 'seqs' AS erasedSeqs, ${SETTINGS.join(", ")}
    FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ?`;
  events(after: number, limit: number, table = "ledger"): LedgerEvent[] {
    return this.#sql.all<EventRow>(LedgerStore.SELECT_EVENTS(table), after, limit).map(eventOf);
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

  /** The users of the events after a seq, each with the key of the claim that it granted. Writes nothing. */
  static readonly SELECT_INVOLVED = `
    SELECT ledger.seq, ledger.user_id AS userId, claims.idempotency_key AS key
    FROM ledger LEFT JOIN claims ON claims.user_id = ledger.user_id AND claims.position = ledger.position
    WHERE ledger.seq > ? AND ledger.user_id IS NOT NULL
    ORDER BY ledger.seq LIMIT ?`;
  involved(seq: number, limit: number): { readonly seq: number; readonly userId: string; readonly key: string | null }[] {
    return this.#sql.all<{ seq: number; userId: string; key: string | null }>(LedgerStore.SELECT_INVOLVED, seq, limit);
  }
}

function eventOf({ seq, at, kind, actor, userId, position, expiresAt, key, wasHeld, erasedSeqs, ...stored }: EventRow): LedgerEvent {
  const event = { seq, at, kind, actor, userId, position };
  if (wasHeld !== null) return { ...event, wasHeld: true };
  if (expiresAt !== null) return { ...event, expiresAt };
  if (erasedSeqs !== null) return { ...event, erasedSeqs: seqsIn(erasedSeqs) };
  const { amount, paused } = stored;
  if (amount === null) return event;
  const settings = { ...stored, amount, paused: paused === 1 };
  return { ...event, settings, ...(key === null ? {} : { key }) };
}

function seqsIn(json: string): number[] {
  const seqs: unknown = JSON.parse(json);
  return Array.isArray(seqs) ? seqs.filter((seq) => typeof seq === "number") : [];
}
