// The ledger: the coupon's events in order, and the reads that use this order.

import type { Claim } from "../domain/claim.ts";
import { SETTING_NAMES, type Changeable, type Instant } from "../domain/coupon.ts";
import type { BackupEvent } from "../domain/backup.ts";
import { dataOf, type LedgerEvent, type Restored } from "../domain/ledger-event.ts";
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
  /** Null if the coupon was not restored. */
  readonly restoredEpoch: string | null;
  readonly restoredSeq: number;
  readonly restoredAsOf: Instant;
  readonly restoredAt: Instant;
  readonly restoredBy: string | null;
} & Omit<Stored<Changeable>, "amount">;

/** An event as it is stored, with what the other tables know of it. */
type BackupRow = Omit<BackupEvent, "attemptIds"> & { readonly attemptIds: string | null };

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
    this.appendStored(events.map((event) => ({ ...event, data: dataOf(event) })));
  }

  /** As {@link LedgerStore.append}, with the details as they are stored. */
  appendStored(events: readonly Pick<BackupEvent, "seq" | "at" | "kind" | "userId" | "position" | "data" | "actor">[]): void {
    const rows = events.map(({ seq, at, kind, userId, position, data, actor }) => [seq, at, kind, userId, position, data, actor]);
    const hasTexts = events.some(({ kind }) => kind === "created" || kind === "changed");
    const atOnceMax = hasTexts ? TEXT_EVENTS_AT_ONCE_MAX : ROWS_AT_ONCE_MAX;
    writeRows(this.#sql, rows, LedgerStore.INSERT_EVENT, LedgerStore.INSERT_EVENTS, atOnceMax);
  }

  /** The events after a seq. Writes nothing. */
  static readonly SELECT_EVENTS = (table: string): string => `
    SELECT seq, at, kind, actor, user_id AS userId, position, data ->> 'expires_at' AS expiresAt, data ->> 'idempotency_key' AS key,
           data ->> 'was_held' AS wasHeld, data ->> 'seqs' AS erasedSeqs, data ->> 'restored_epoch' AS restoredEpoch, data ->> 'restored_seq' AS restoredSeq,
           data ->> 'restored_as_of' AS restoredAsOf, data ->> 'restored_at' AS restoredAt, data ->> 'restored_by' AS restoredBy, ${SETTINGS.join(", ")}
    FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ?`;
  events(after: number, limit: number, table = "ledger"): LedgerEvent[] {
    return this.#sql.all<EventRow>(LedgerStore.SELECT_EVENTS(table), after, limit).map(eventOf);
  }

  /**
   * The events after a seq and up to another one, as a backup has them. A claim that was revoked later is in `releases`. A released hold
   * has no seq, so it is found by its user and instant. No request's id has a space. Writes nothing.
   */
  static readonly SELECT_BACKUP = `
    SELECT ledger.seq, at, kind, ledger.user_id AS userId, ledger.position, data, actor,
           ifnull(claims.idempotency_key, releases.idempotency_key) AS key,
           coalesce(claims.attempt_id, releases.attempt_id, holds.attempt_id) AS attemptId,
           iif(kind = 'given_back', (SELECT group_concat(attempt_id, ' ') FROM released_holds
                                     WHERE released_holds.user_id = ledger.user_id AND released_at = ledger.at), NULL) AS attemptIds
    FROM ledger
    LEFT JOIN claims ON kind = 'claimed' AND claims.user_id = ledger.user_id AND claims.position = ledger.position
    LEFT JOIN releases ON kind = 'claimed' AND releases.user_id = ledger.user_id AND releases.position = ledger.position
    LEFT JOIN holds ON kind = 'held' AND holds.user_id = ledger.user_id AND held_at = ledger.at
    WHERE ledger.seq > ? AND ledger.seq <= ? ORDER BY ledger.seq LIMIT ?`;
  backup(after: number, until: number, limit: number): BackupEvent[] {
    const rows = this.#sql.all<BackupRow>(LedgerStore.SELECT_BACKUP, after, until, limit);
    return rows.map((row) => Object.assign(row, { attemptIds: row.attemptIds?.split(" ") ?? [] }));
  }

  /** Whether a user was erased after a seq. Writes nothing. */
  static readonly SELECT_ERASED = `SELECT 1 AS found FROM ledger WHERE seq > ? AND kind = 'erased' LIMIT 1`;
  isErasedAfter(seq: number): boolean {
    return this.#sql.all(LedgerStore.SELECT_ERASED, seq).length > 0;
  }

  /** Returns the details of a creation with those of the restore. Numbers are bound as REAL. Writes nothing. */
  static readonly SELECT_RESTORED = `
    SELECT json_set(?, '$.restored_epoch', ?, '$.restored_seq', CAST(? AS INTEGER), '$.restored_as_of', CAST(? AS INTEGER),
                    '$.restored_at', CAST(? AS INTEGER), '$.restored_by', ?) AS data`;
  withRestored(data: string, { epoch, seq, asOf, at, by }: Restored): string {
    const [row] = this.#sql.all<{ data: string }>(LedgerStore.SELECT_RESTORED, data, epoch, seq, asOf, at, by);
    return row?.data ?? data;
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
   * The users who had a claim after the event `?2`: those who have it now, and those who lost it since. Only instants in
   * the tables count, because the clock of a new instance can be behind. The users are one text, because a Worker can
   * free a text at once. Writes nothing.
   */
  static readonly SELECT_CLAIMANTS_AS_OF = `
    SELECT ifnull(group_concat(',' || json_quote(user_id), ''), '') AS json, count(*) AS userCount, max(seq) AS last FROM (
      SELECT user_id, seq FROM ledger
      WHERE seq > ?1 AND seq <= ?2 AND kind = 'claimed' AND NOT EXISTS (
        SELECT 1 FROM releases
        WHERE releases.user_id = ledger.user_id AND releases.position = ledger.position AND (released_at < (SELECT at FROM ledger WHERE seq = ?2) OR NOT EXISTS (
          SELECT 1 FROM ledger AS later WHERE later.seq > ?2 AND later.kind = 'released' AND later.position = releases.position)))
      ORDER BY seq LIMIT ?3)`;
  claimantsAsOf(seq: number, after: number, limit: number) {
    type Row = { json: string; userCount: number; last: number | null };
    const [row] = this.#sql.all<Row>(LedgerStore.SELECT_CLAIMANTS_AS_OF, after, seq, limit);
    const { json, userCount, last } = row ?? { json: "", userCount: 0, last: null };
    return { json, userCount, next: userCount < limit ? null : last };
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

function eventOf({ seq, at, kind, actor, userId, position, expiresAt, key, wasHeld, erasedSeqs, ...details }: EventRow): LedgerEvent {
  const event = { seq, at, kind, actor, userId, position };
  if (wasHeld !== null) return { ...event, wasHeld: true };
  if (expiresAt !== null) return { ...event, expiresAt };
  if (erasedSeqs !== null) return { ...event, erasedSeqs: seqsIn(erasedSeqs) };
  const { restoredEpoch, restoredSeq, restoredAsOf, restoredAt, restoredBy, ...stored } = details;
  const { amount, paused } = stored;
  if (amount === null) return event;
  const settings = { ...stored, amount, paused: paused === 1 };
  const made = { ...event, settings, ...(key === null ? {} : { key }) };
  if (restoredEpoch === null) return made;
  return { ...made, restored: { epoch: restoredEpoch, seq: restoredSeq, asOf: restoredAsOf, at: restoredAt, by: restoredBy } };
}

function seqsIn(json: string): number[] {
  const seqs: unknown = JSON.parse(json);
  return Array.isArray(seqs) ? seqs.filter((seq) => typeof seq === "number") : [];
}
