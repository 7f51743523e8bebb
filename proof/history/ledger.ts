// The ledger of a coupon as its own tables have it, read as the events of a history.

import type { EventKind, LedgerEvent, Settings } from "./history.ts";

/** The longest hold of a coupon that was made before there was a limit of its own. */
const HOLD_SECONDS_UNLIMITED = 86_400;

type Row = Readonly<Record<string, unknown>>;

/** The rows of a coupon's tables `ledger`, `claims` and `releases`. */
export type Tables = { readonly ledger: readonly Row[]; readonly claims: readonly Row[]; readonly releases: readonly Row[] };

/** What each of {@link Tables} is asked for. */
export const TABLES = {
  ledger: "SELECT seq, at, kind, user_id, position, data FROM ledger ORDER BY seq",
  claims: "SELECT user_id, position, idempotency_key, attempt_id FROM claims",
  releases: "SELECT user_id, position, idempotency_key, attempt_id FROM releases",
} as const satisfies Record<keyof Tables, string>;

/** The events in their order. Each claim has the key and the attempt that are stored with it, or were when it was released. */
export function eventsIn({ ledger, claims, releases }: Tables): LedgerEvent[] {
  const made = new Map([...claims, ...releases].map((row) => [`${String(row["position"])} ${String(row["user_id"])}`, row]));
  return ledger.map((row) => {
    const base = {
      kind: row["kind"] as EventKind,
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      userId: row["user_id"] as string | null,
      position: row["position"] as number | null,
    };
    const data = JSON.parse(typeof row["data"] === "string" ? row["data"] : "{}") as Record<string, number | null>;
    if (base.kind === "held") return { ...base, expiresAt: Number(data["expires_at"]) };
    if (base.kind === "created" || base.kind === "changed") return { ...base, settings: settingsIn(data) };
    const claim = base.kind === "claimed" ? made.get(`${base.position} ${base.userId}`) : undefined;
    if (claim === undefined) return base;
    return { ...base, key: claim["idempotency_key"] as string | null, attempt: String(claim["attempt_id"]) };
  });
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
