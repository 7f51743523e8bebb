// The tables that a history leaves, read from outside: answered over from the ledger alone, they have to be what they are.

import { follow, left, type Coupon } from "../model/coupon.ts";
import type { EventKind, LedgerEvent, Settings } from "../model/types.ts";
import { extraAnswerFault, type ExtraAnswer } from "./extra-answers.ts";
import type { Database, Value } from "./database.ts";

const LEDGER = "SELECT seq, at, kind, user_id, position, data FROM ledger ORDER BY seq";
const CLAIMS = "SELECT user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id FROM claims";
const RELEASES =
  "SELECT user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, released_at FROM releases ORDER BY released_at";
const HOLDS = "SELECT user_id, held_at, expires_at, attempt_id FROM holds";
const RELEASED_HOLDS = "SELECT user_id, released_at, attempt_id FROM released_holds";
const COUPON = `
  SELECT name, amount, claimed, held, starts_at, ends_at, paused, last_position, seq, created_at, clock_at, epoch, hold_seconds_max,
    holds_max FROM coupon`;

/** The attempt that made the hold of a user at this seq, where that was seen. */
export type HolderOf = (seq: number, userId: string | null) => string | undefined;

/** One incarnation of a coupon, as its tables log it. */
export type Answered = {
  readonly events: readonly LedgerEvent[];
  /** What is wrong with the tables, a sentence; null where nothing is. */
  readonly fault: string | null;
};

const NOTHING: Answered = { events: [], fault: null };

/** Tells one incarnation over. `looks` are the answers of that incarnation that have to be checked by themselves. */
export function replayTables(database: Database, name: string, extraAnswers: readonly ExtraAnswer[], holderOf: HolderOf): Answered {
  if (!database.isDefined) return NOTHING;
  const claims = database.rows(CLAIMS);
  const releases = database.rows(RELEASES);
  const made = new Map<Value, readonly Value[]>();
  for (const row of releases) made.set(row[1] ?? null, row);
  for (const row of claims) made.set(row[1] ?? null, row);
  const events = withAttempts(
    database.rows(LEDGER).map((row) => eventOf(row, made)),
    database,
    holderOf,
  );
  const [stored] = database.rows(COUPON);
  if (stored === undefined) return { events, fault: "there are tables and no coupon" };

  let coupon: Coupon | null = null;
  let fault: string | null = null;
  for (const event of events) {
    coupon = follow(coupon, event, event.attempt ?? null, event.key ?? null);
    for (const look of extraAnswers) if (look.result.seq === event.seq) fault ??= extraAnswerFault(look, coupon, String(stored[11]));
    if (coupon === null) return { events, fault: "the ledger does not begin with a creation" };
    if (left(coupon) < 0) fault ??= `more is given out than there is, at event ${event.seq}`;
  }
  if (coupon === null) return { events, fault: "the ledger is empty" };
  fault ??= couponFault(stored, coupon, name, events) ?? claimFault(claims, coupon) ?? releaseFault(releases, coupon);
  return { events, fault: fault ?? holdFault(database.rows(HOLDS), coupon) };
}

function eventOf([seq, at, kind, userId, position, text]: readonly Value[], made: ReadonlyMap<Value, readonly Value[]>): LedgerEvent {
  const event = {
    kind: kind as EventKind,
    seq: Number(seq),
    at: Number(at),
    userId: (userId ?? null) as string | null,
    position: (position ?? null) as number | null,
  };
  if (text !== null) {
    const more = JSON.parse(String(text)) as Readonly<Record<string, number | null>>;
    return kind === "held" ? { ...event, expiresAt: Number(more["expires_at"]) } : { ...event, settings: settingsIn(more) };
  }
  const claim = kind === "claimed" ? made.get(event.position) : undefined;
  if (claim === undefined || claim[0] !== event.userId) return event;
  return { ...event, key: (claim[4] ?? null) as string | null, attempt: String(claim[5]) };
}

/** The events, each hold with its attempt where that is still known. */
function withAttempts(events: readonly LedgerEvent[], database: Database, holderOf: HolderOf): LedgerEvent[] {
  const released = database.rows(RELEASED_HOLDS);
  const attempts = new Map<LedgerEvent, string>();
  const running = new Map<string | null, LedgerEvent>();
  for (const event of events) {
    const { kind, userId, at } = event;
    if (kind === "held") running.set(userId, event);
    const held = running.get(userId);
    if (kind !== "given_back" || held === undefined) continue;
    // Of two holds of one user that were released at one instant, either may be meant.
    const [row, ...others] = released.filter(([user, releasedAt]) => user === userId && releasedAt === at);
    const attempt = others.length === 0 ? row?.[2] : holderOf(held.seq, userId);
    if (attempt !== undefined) attempts.set(held, String(attempt));
  }
  for (const [userId, heldAt, , attempt] of database.rows(HOLDS)) {
    const held = running.get(String(userId));
    if (held !== undefined && held.at === heldAt) attempts.set(held, String(attempt));
  }
  return events.map((event) => {
    const attempt = attempts.get(event);
    return attempt === undefined ? event : { ...event, attempt };
  });
}

function settingsIn(more: Readonly<Record<string, number | null>>): Settings {
  return {
    amount: more["amount"] ?? 0,
    startsAt: more["starts_at"] ?? null,
    endsAt: more["ends_at"] ?? null,
    paused: more["paused"] === 1,
    holdSecondsMax: more["hold_seconds_max"] ?? 0,
    holdsMax: more["holds_max"] ?? null,
  };
}

function couponFault(
  stored: readonly Value[],
  { settings, claims, holds, ...coupon }: Coupon,
  name: string,
  events: readonly LedgerEvent[],
) {
  const { amount, startsAt, endsAt, paused } = settings;
  const retold = [
    name,
    amount,
    claims.size,
    holds.size,
    startsAt,
    endsAt,
    paused ? 1 : 0,
    coupon.lastPosition,
    events.length,
    coupon.createdAt,
  ];
  for (const [index, value] of retold.entries())
    if (stored[index] !== value)
      return `the coupon has ${String(stored[index])} where the ledger tells ${String(value)} (column ${index + 1})`;
  if (stored[12] !== settings.holdSecondsMax || stored[13] !== settings.holdsMax)
    return "the coupon's limits for holds are not as the ledger has them";
  return Number(stored[10]) < coupon.at ? "the coupon's clock is behind its last event" : null;
}

function claimFault(rows: readonly (readonly Value[])[], { claims }: Coupon): string | null {
  for (const [userId, position, claimedAt, remaining, key, attempt] of rows) {
    const claim = claims.get(String(userId));
    const isSame =
      claim !== undefined &&
      claim.position === position &&
      claim.claimedAt === claimedAt &&
      claim.remaining === remaining &&
      claim.key === key &&
      claim.attempt === attempt;
    if (!isSame) return `the claim of ${String(userId)} at position ${String(position)} is not as the ledger tells it`;
  }
  return rows.length === claims.size ? null : `${rows.length} claims are stored, and the ledger tells of ${claims.size}`;
}

function releaseFault(rows: readonly (readonly Value[])[], { releases }: Coupon): string | null {
  for (const { claim, releasedAt } of releases) {
    const row = rows.find(([userId, position]) => userId === claim.userId && position === claim.position);
    const isSame =
      row !== undefined &&
      row[2] === claim.claimedAt &&
      row[3] === claim.remaining &&
      row[4] === claim.key &&
      row[5] === claim.attempt &&
      row[6] === releasedAt;
    if (!isSame) return `the release of ${claim.userId} from position ${claim.position} is not stored as the ledger tells it`;
  }
  return rows.length === releases.length ? null : `${rows.length} releases are stored, and the ledger tells of ${releases.length}`;
}

function holdFault(rows: readonly (readonly Value[])[], { holds }: Coupon): string | null {
  for (const [userId, heldAt, expiresAt] of rows) {
    const hold = holds.get(String(userId));
    if (hold === undefined || hold.heldAt !== heldAt || hold.expiresAt !== expiresAt)
      return `the hold of ${String(userId)} is not as the ledger tells it`;
  }
  return rows.length === holds.size ? null : `${rows.length} holds are stored, and the ledger tells of ${holds.size}`;
}
