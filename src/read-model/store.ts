// Writes what couriers deliver to D1: coupons, their events, and the claims that follow from the events.

import { named, SETTING_NAMES, type Instant } from "../domain/coupon.ts";
import type { OutboxPage } from "../domain/delivery.ts";
import { dataOf } from "../domain/ledger-event.ts";
import { ERASED_AT_ONCE_MAX } from "../domain/delivery-limits.ts";

const SETTINGS = Object.values(SETTING_NAMES);
const COLUMNS = [
  "epoch",
  "name",
  "claimed",
  "held",
  "last_position",
  "created_at",
  "archived_at",
  "deleted_at",
  "seq",
  "as_of",
  ...SETTINGS,
];

/**
 * Writes 2 rows for a new coupon, else 1. An older state of a coupon changes nothing. A deleted incarnation stays deleted.
 */
const UPSERT_COUPON = `
  INSERT INTO coupons (${COLUMNS.join(", ")})
  SELECT ${COLUMNS.map((column) => `value ->> '${column}'`).join(", ")} FROM json_each(?) WHERE true
  ON CONFLICT (epoch) DO UPDATE SET
    ${["claimed", "held", "last_position", "archived_at", "seq", "as_of", ...SETTINGS].map((column) => `${column} = excluded.${column}`).join(", ")},
    deleted_at = coalesce(deleted_at, excluded.deleted_at)
  WHERE (excluded.seq, excluded.as_of) >= (seq, as_of) OR excluded.deleted_at IS NOT NULL`;

/**
 * Writes 1 row for each incarnation that began before `?2` and has no deletion. A damaged coupon is deleted without one.
 */
const END_INCARNATIONS = `UPDATE coupons SET deleted_at = ?2 WHERE name = ?1 AND created_at < ?2 AND deleted_at IS NULL`;

/** Writes 1 row for each new event, of a JSON array of rows. None if the incarnation is deleted. */
const INSERT_EVENTS = `
  INSERT INTO events (epoch, seq, at, kind, user_id, position, actor, data)
  SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM coupons WHERE epoch = ?1 AND deleted_at IS NULL)
  ON CONFLICT DO NOTHING`;

/** Writes 2 rows for each new claim among the stored events from seq `?2` to `?3`. */
const INSERT_CLAIMS = `
  INSERT INTO claims (epoch, position, user_id, claimed_at)
  SELECT epoch, position, user_id, at FROM events WHERE epoch = ?1 AND seq BETWEEN ?2 AND ?3 AND kind = 'claimed'
  ON CONFLICT DO NOTHING`;

/** Writes 2 rows for each claim that the stored events from seq `?2` to `?3` revoke. */
const REVOKE_CLAIMS = `
  UPDATE claims SET revoked_at = events.at
  FROM events
  WHERE events.epoch = ?1 AND events.seq BETWEEN ?2 AND ?3 AND events.kind = 'released'
    AND claims.epoch = ?1 AND claims.position = events.position AND claims.revoked_at IS NULL`;

/** Writes 1 row for each event that the stored erasures from seq `?2` to `?3` list, and 2 more if it is a claim. */
const RENAME_EVENTS = `
  UPDATE events SET user_id = erased.user_id
  FROM events AS erased, json_each(erased.data, '$.seqs') AS listed
  WHERE erased.epoch = ?1 AND erased.seq BETWEEN ?2 AND ?3 AND erased.kind = 'erased'
    AND events.epoch = ?1 AND events.seq = listed.value`;
const RENAME_CLAIMS = `
  UPDATE claims SET user_id = erased.user_id
  FROM events AS erased, json_each(erased.data, '$.seqs') AS listed, events AS granted
  WHERE erased.epoch = ?1 AND erased.seq BETWEEN ?2 AND ?3 AND erased.kind = 'erased'
    AND granted.epoch = ?1 AND granted.seq = listed.value AND granted.kind = 'claimed'
    AND claims.epoch = ?1 AND claims.position = granted.position`;

/** Writes 1 row. */
const UPSERT_FRESHNESS = `
  INSERT INTO freshness (id, as_of) VALUES (1, ?)
  ON CONFLICT (id) DO UPDATE SET as_of = max(as_of, excluded.as_of)`;

/** Each writes 1 row for a deleted row, and 1 more for its entry in an index. */
const ERASE_CLAIMS = `
  DELETE FROM claims WHERE epoch = ?1 AND position IN (SELECT position FROM claims WHERE epoch = ?1 LIMIT ?2)`;
const ERASE_EVENTS = `
  DELETE FROM events WHERE epoch = ?1 AND seq IN (SELECT seq FROM events WHERE epoch = ?1 LIMIT ?2)`;
const ERASE_COUPON = `DELETE FROM coupons WHERE epoch = ?`;

/**
 * Stores a page of a coupon's ledger in one transaction. A page that is stored twice, or late, changes nothing. The deletion of a coupon
 * erases its claims and events, and keeps its row. `storedAt` is the time now. Returns false if rows are left to erase: then store
 * the page again. Throws if the database fails.
 */
export async function storePage(db: D1Database, name: string, page: OutboxPage, storedAt: number): Promise<boolean> {
  const { epoch, events, deletion } = page;
  const [first, last] = [events[0], events.at(-1)];
  const range = [epoch, first?.seq ?? 0, last?.seq ?? 0] as const;
  const rows = events.map((event) => {
    return [event.seq, event.at, event.kind, event.userId, event.position, event.actor, dataOf(event)];
  });
  const hasKind = (kind: string): boolean => events.some((event) => event.kind === kind);
  const statements = [
    db.prepare(UPSERT_COUPON).bind(couponRow(name, page)),
    ...(first?.seq === 1 ? [db.prepare(END_INCARNATIONS).bind(name, page.coupon.createdAt)] : []),
    ...(events.length > 0 ? [db.prepare(INSERT_EVENTS).bind(epoch, JSON.stringify(rows))] : []),
    ...(hasKind("claimed") ? [db.prepare(INSERT_CLAIMS).bind(...range)] : []),
    ...(hasKind("released") ? [db.prepare(REVOKE_CLAIMS).bind(...range)] : []),
    ...(hasKind("erased") ? [RENAME_EVENTS, RENAME_CLAIMS].map((statement) => db.prepare(statement).bind(...range)) : []),
    ...(events.length > 0 || deletion !== null ? [db.prepare(UPSERT_FRESHNESS).bind(storedAt)] : []),
  ];
  await db.batch(statements);
  return deletion === null || eraseEvents(db, epoch);
}

/** Erases rows of an incarnation, so that its ledger can be stored from the beginning. Returns false if some are left. */
export async function clearIncarnation(db: D1Database, epoch: string): Promise<boolean> {
  if (!(await eraseEvents(db, epoch))) return false;
  await db.prepare(ERASE_COUPON).bind(epoch).run();
  return true;
}

/** Marks all incarnations of a name that began before `at` as deleted. */
export async function endIncarnations(db: D1Database, name: string, at: Instant): Promise<void> {
  await db.prepare(END_INCARNATIONS).bind(name, at).run();
}

/** Erases a bounded number of rows, because a million would take longer than D1 allows. Returns false if some are left. */
async function eraseEvents(db: D1Database, epoch: string): Promise<boolean> {
  const erase = [ERASE_CLAIMS, ERASE_EVENTS].map((statement) => db.prepare(statement).bind(epoch, ERASED_AT_ONCE_MAX));
  return (await db.batch(erase)).every(({ meta }) => meta.changes < ERASED_AT_ONCE_MAX);
}

/** Returns the row of the page's coupon as a JSON array of one. */
function couponRow(name: string, { epoch, coupon, deletion, now }: OutboxPage): string {
  const { claimed, held, lastPosition, createdAt, archivedAt, seq } = coupon;
  const settings = { ...named(coupon), paused: coupon.paused ? 1 : 0 };
  const facts = { epoch, name, claimed, held, last_position: lastPosition, created_at: createdAt, archived_at: archivedAt };
  return JSON.stringify([{ ...settings, ...facts, deleted_at: deletion?.at ?? null, seq, as_of: now }]);
}
