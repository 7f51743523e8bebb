// The ledger of a coupon as its own tables have it, read as the events of a history.

import type { EventKind, LedgerEvent, Settings } from "./types.ts";

/** The longest hold of a coupon that was made before there was a limit of its own. */
const HOLD_SECONDS_UNLIMITED = 86_400;

type Row = Readonly<Record<string, unknown>>;

/** The rows of a coupon's tables. */
export type Tables = Readonly<Record<"ledger" | "claims" | "releases" | "holds" | "released_holds", readonly Row[]>>;

/** What each of {@link Tables} is asked for. */
export const TABLES = {
  ledger: "SELECT seq, at, kind, user_id, position, data FROM ledger ORDER BY seq",
  claims: "SELECT user_id, position, idempotency_key, attempt_id FROM claims",
  releases: "SELECT user_id, position, idempotency_key, attempt_id FROM releases",
  holds: "SELECT user_id, held_at, attempt_id FROM holds",
  released_holds: "SELECT user_id, released_at, attempt_id FROM released_holds",
} as const satisfies Record<keyof Tables, string>;

/**
 * The events in their order. Each claim has the key and the attempt that are stored with it, or were when it was released; a hold that runs
 * or was released has its attempt.
 */
export function eventsIn(tables: Tables): LedgerEvent[] {
  const { ledger, claims, releases } = tables;
  const holders = holdersIn(tables);
  const made = new Map([...claims, ...releases].map((row) => [`${String(row["position"])} ${String(row["user_id"])}`, row]));
  const events: LedgerEvent[] = [];
  for (const [index, row] of ledger.entries()) {
    const base = {
      kind: row["kind"] as EventKind,
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      userId: row["user_id"] as string | null,
      position: row["position"] as number | null,
    };
    const data = JSON.parse(typeof row["data"] === "string" ? row["data"] : "{}") as Record<string, number | null>;
    const attempt = holders.get(index);
    const claim = base.kind === "claimed" ? made.get(`${base.position} ${base.userId}`) : undefined;
    if (base.kind === "held")
      events.push({ ...base, expiresAt: Number(data["expires_at"]), ...(attempt === undefined ? {} : { attempt }) });
    else if (base.kind === "created" || base.kind === "changed") events.push({ ...base, settings: settingsIn(data) });
    else if (claim === undefined) events.push(base);
    else events.push({ ...base, key: claim["idempotency_key"] as string | null, attempt: String(claim["attempt_id"]) });
  }
  return events;
}

/** By the place of its event in the ledger: the attempt that made a hold, where it is still known. */
function holdersIn({ ledger, holds, released_holds: releasedHolds }: Tables): ReadonlyMap<number, string> {
  const attempts = new Map<number, string>();
  const running = new Map<string, number>();
  for (const [index, { kind, user_id: userId, at }] of ledger.entries()) {
    if (kind === "held") running.set(String(userId), index);
    const held = running.get(String(userId));
    if (kind !== "given_back" || held === undefined) continue;
    // Of two holds of one user that were released at one instant, either may be meant.
    const [released, ...others] = releasedHolds.filter((row) => row["user_id"] === userId && row["released_at"] === at);
    if (released !== undefined && others.length === 0) attempts.set(held, String(released["attempt_id"]));
  }
  for (const row of holds) {
    const index = running.get(String(row["user_id"]));
    if (index !== undefined && ledger[index]?.["at"] === row["held_at"]) attempts.set(index, String(row["attempt_id"]));
  }
  return attempts;
}

function settingsIn(data: Readonly<Record<string, number | null>>): Settings {
  return {
    amount: data["amount"] ?? 0,
    startsAt: data["starts_at"] ?? null,
    endsAt: data["ends_at"] ?? null,
    paused: data["paused"] === 1,
    holdSecondsMax: data["hold_seconds_max"] ?? HOLD_SECONDS_UNLIMITED,
    holdsMax: data["holds_max"] ?? null,
  };
}
