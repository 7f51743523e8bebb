// The tables of a coupon: its ledger as events, and whether every table is as the ledger says.

import type { Claim, Coupon } from "./coupon.ts";
import { isPseudonym, Pseudonyms } from "./pseudonym.ts";
import { byName, SETTING_NAMES, settingsOf } from "./settings.ts";
import type { EventKind, LedgerEvent } from "./types.ts";

type Row = Readonly<Record<string, unknown>>;

/** The rows of a coupon's tables. */
export type Tables = Readonly<Record<keyof typeof TABLES, readonly Row[]>>;

const CLAIM_COLUMNS = "user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id";

/** The query that reads each of {@link Tables}. */
export const TABLES = {
  ledger: "SELECT seq, at, kind, user_id, position, data FROM ledger ORDER BY seq",
  claims: `SELECT ${CLAIM_COLUMNS} FROM claims`,
  releases: `SELECT ${CLAIM_COLUMNS}, released_at FROM releases`,
  holds: "SELECT user_id, held_at, expires_at, attempt_id FROM holds",
  released_holds: "SELECT user_id, released_at, attempt_id FROM released_holds",
} as const;

/** The query that reads the row for {@link storedFault}. */
export const COUPON_ROW = `SELECT claimed, held, last_position, seq, created_at, archived_at, clock_at, epoch, erasure_key, ${SETTING_NAMES.join(", ")} FROM coupon`;

/** Returns all tables, each read by `rows`. */
export function readTables(rows: (query: string) => readonly Row[]): Tables {
  const { ledger, claims, releases, holds, released_holds: released } = TABLES;
  return { ledger: rows(ledger), claims: rows(claims), releases: rows(releases), holds: rows(holds), released_holds: rows(released) };
}

const NO_PSEUDONYMS = new Pseudonyms(null);

/** The attempt that made the hold of a user at this seq, where the caller knows it. */
export type HolderOf = (seq: number, userId: string) => string | undefined;

/**
 * The events in their order. A `claimed` event has the stored key and attempt of its claim. A `held` event has its attempt while the hold
 * runs and once it is released. An erased user has the id.
 */
export function eventsIn(stored: Tables, holderOf: HolderOf = () => undefined, names: Pseudonyms = NO_PSEUDONYMS): LedgerEvent[] {
  const tables = namedTables(stored, names);
  const { ledger, claims, releases } = tables;
  const holders = holdersIn(tables, holderOf);
  const made = new Map([...claims, ...releases].map((row) => [`${String(row["position"])} ${String(row["user_id"])}`, row]));
  const events: LedgerEvent[] = [];
  const erased = new Set(stored.ledger.flatMap(({ kind, data }) => (kind === "erased" ? seqsIn(data) : [])));
  for (const [index, row] of ledger.entries()) {
    const by = String(stored.ledger[index]?.["user_id"]);
    const isAlias = isPseudonym(by) && row["kind"] !== "erased" && !erased.has(Number(row["seq"]));
    const base = {
      kind: row["kind"] as EventKind,
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      userId: row["user_id"] as string | null,
      position: row["position"] as number | null,
      ...(isAlias ? { alias: by } : {}),
    };
    const data = JSON.parse(typeof row["data"] === "string" ? row["data"] : "{}") as Record<string, number | null>;
    const attempt = holders.get(index);
    const claim = base.kind === "claimed" ? made.get(`${base.position} ${base.userId}`) : undefined;
    if (base.kind === "held")
      events.push({ ...base, expiresAt: Number(data["expires_at"]), ...(attempt === undefined ? {} : { attempt }) });
    else if (base.kind === "created" || base.kind === "changed") events.push({ ...base, settings: settingsOf(data) });
    else if (base.kind === "erased") events.push({ ...base, erasedSeqs: seqsIn(row["data"]) });
    else if (claim === undefined) events.push(base);
    else events.push({ ...base, key: claim["idempotency_key"] as string | null, attempt: String(claim["attempt_id"]) });
  }
  return events;
}

function seqsIn(data: unknown): readonly number[] {
  return (JSON.parse(String(data)) as { readonly seqs: readonly number[] }).seqs;
}

const NAMES = ["user_id", "idempotency_key", "attempt_id"] as const;

/** The tables with ids in the places of pseudonyms. */
function namedTables(tables: Tables, names: Pseudonyms): Tables {
  if (names === NO_PSEUDONYMS) return tables;
  const named = (row: Row): Row => {
    const texts = NAMES.flatMap((name) => (typeof row[name] === "string" ? [[name, names.textOf(row[name])]] : []));
    return { ...row, ...(Object.fromEntries(texts) as Row) };
  };
  const { ledger, claims, releases, holds, released_holds: released } = tables;
  return {
    ledger: ledger.map(named),
    claims: claims.map(named),
    releases: releases.map(named),
    holds: holds.map(named),
    released_holds: released.map(named),
  };
}

/** Returns the attempt that made each hold, by the index of the hold's event in the ledger. */
function holdersIn({ ledger, holds, released_holds: releasedHolds }: Tables, holderOf: HolderOf): ReadonlyMap<number, string> {
  const attempts = new Map<number, string>();
  const running = new Map<string, number>();
  for (const [index, { kind, user_id: user, at }] of ledger.entries()) {
    const userId = String(user);
    if (kind === "held") running.set(userId, index);
    const held = running.get(userId);
    if (kind !== "given_back" || held === undefined) continue;
    // Two holds of one user that were released at one instant have equal rows.
    const [released, ...others] = releasedHolds.filter((row) => row["user_id"] === userId && row["released_at"] === at);
    if (others.length === 0) {
      if (released !== undefined) attempts.set(held, String(released["attempt_id"]));
      continue;
    }
    const attempt = holderOf(Number(ledger[held]?.["seq"]), userId);
    if (attempt !== undefined) attempts.set(held, attempt);
  }
  for (const row of holds) {
    const index = running.get(String(row["user_id"]));
    if (index !== undefined && ledger[index]?.["at"] === row["held_at"]) attempts.set(index, String(row["attempt_id"]));
  }
  return attempts;
}

/**
 * What is wrong with the tables of `coupon`, whose ledger ends at `seq`; null where nothing is. `stored` is
 * the {@link COUPON_ROW}.
 */
export function storedFault(tables: Tables, stored: Row, coupon: Coupon, seq: number, names: Pseudonyms = NO_PSEUDONYMS): string | null {
  const { clock_at: clockAt, epoch: _epoch, erasure_key: _key, ...row } = stored;
  const claims = Array.from(coupon.claims.values(), (claim) => claimRow(claim, names));
  const releases = coupon.releases.map(({ claim, releasedAt }) => ({ ...claimRow(claim, names), released_at: releasedAt }));
  const holds = Array.from(coupon.holds, ([userId, hold]) => ({
    user_id: hold.isHidden ? names.of(userId) : userId,
    held_at: hold.heldAt,
    expires_at: hold.expiresAt,
    attempt_id: hold.isHidden && hold.attempt !== null ? names.of(hold.attempt) : hold.attempt,
  }));
  if (Number(clockAt) < coupon.at) return "the coupon's clock is behind its last event";
  return (
    rowFault("coupon", [row], [couponRow(coupon, seq)]) ??
    rowFault("claims", tables.claims, claims) ??
    rowFault("releases", tables.releases, releases) ??
    rowFault("holds", tables.holds, holds) ??
    nameFault(tables, coupon, names)
  );
}

function couponRow({ settings, claims, holds, lastPosition, createdAt }: Coupon, seq: number): Row {
  return {
    claimed: claims.size,
    held: holds.size,
    last_position: lastPosition,
    seq,
    created_at: createdAt,
    archived_at: settings.archivedAt ?? null,
    ...byName(settings, (value) => (typeof value === "boolean" ? Number(value) : value)),
  };
}

function claimRow({ userId, position, claimedAt, remaining, key, attempt, isHidden }: Claim, names: Pseudonyms): Row {
  return {
    user_id: isHidden ? names.of(userId) : userId,
    position,
    claimed_at: claimedAt,
    remaining_after: remaining,
    idempotency_key: isHidden && key !== null ? names.ofKey(userId, key) : key,
    attempt_id: isHidden && attempt !== null ? names.of(attempt) : attempt,
  };
}

/** What is wrong with the users of the ledger and of released holds. Erased ones have the pseudonym, others the id. */
function nameFault({ ledger, released_holds: released }: Tables, { namedSeqs }: Coupon, names: Pseudonyms): string | null {
  const isNamed = (userId: string, seq: number): boolean => namedSeqs.get(userId)?.includes(seq) === true;
  for (const { seq, user_id: user } of ledger) {
    const userId = typeof user === "string" ? names.textOf(user) : null;
    if (userId !== null && user !== (isNamed(userId, Number(seq)) ? userId : names.of(userId)))
      return `event ${String(seq)} of the ledger has the user ${String(user)}`;
  }
  for (const { user_id: user } of released)
    if (!isPseudonym(String(user)) && !namedSeqs.has(String(user))) return `a released hold has the user ${String(user)}, who is erased`;
  return null;
}

/** Compares rows in any order; their columns are in the order of the query. */
function rowFault(table: string, stored: readonly Row[], due: readonly Row[]): string | null {
  const wanted = new Set(due.map((row) => JSON.stringify(row)));
  for (const row of stored) {
    const text = JSON.stringify(row);
    if (!wanted.delete(text)) return `${table} has a row that the ledger does not explain: ${text}`;
  }
  const [missing] = wanted;
  return missing === undefined ? null : `${table} lacks the row ${missing}`;
}
