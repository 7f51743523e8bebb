// What a ledger tells: the coupon as its events alone make it, and what can't have happened as they say.

import { HOLD_SECONDS_MAX_BEFORE, type ClaimRow, type EventRow, type HoldRow, type ReleaseRow } from "./tables.ts";
import { quoted } from "./words.ts";

/** A claim as a ledger knows it: not by which key. */
export type RetoldClaim = Omit<ClaimRow, "key">;

/** A coupon, retold. */
export type Retold = {
  amount: number;
  startsAt: number | null;
  endsAt: number | null;
  paused: number;
  holdSecondsMax: number;
  holdsMax: number | null;
  /** Whether an event has named the limits for holds: those of version 1 do not. */
  hasHoldLimits: boolean;
  createdAt: number;
  lastPosition: number;
  /** The event that came last, and when. */
  seq: number;
  at: number;
  readonly claims: Map<string, RetoldClaim>;
  readonly holds: Map<string, HoldRow>;
  /** By position: none is given twice. */
  readonly releases: Map<number, ReleaseRow>;
  /** In the order of the events. `isKept` where a row of its own is kept for certain. */
  readonly releasedHolds: { readonly userId: string; readonly releasedAt: number; readonly isKept: boolean }[];
  /** What is wrong with the events themselves, a sentence each. */
  readonly faults: string[];
};

type Facts = Readonly<Record<string, unknown>>;
/** Lets an event happen, whatever is wrong with it, and answers what is. */
type Happen = (told: Retold, user: string, event: EventRow, facts: Facts) => (string | false)[];

const EVENTS: ReadonlyMap<string, Happen> = new Map([
  ["created", created],
  ["changed", changed],
  ["claimed", claimed],
  ["released", released],
  ["held", held],
  ["given_back", givenBack],
  ["expired", expired],
]);

/** Tells the events over, in the order given, up to the event `until`. */
export function retold(ledger: Iterable<EventRow>, until: number = Infinity): Retold {
  const told = nothing();
  for (const row of ledger) {
    if (row.seq > until) break;
    const facts = factsIn(row.data);
    const wrong: (string | false)[] = [
      row.seq !== told.seq + 1 && `comes after event ${told.seq}`,
      row.at < told.at && "is earlier than the one before",
      facts === null && `has data that is no JSON object`,
    ];
    const happen = EVENTS.get(row.kind);
    if (happen === undefined) wrong.push(`is of a kind that is not known`);
    else wrong.push(...happen(told, row.userId ?? "", row, facts ?? {}));
    told.seq = row.seq;
    told.at = row.at;
    if (remaining(told) < 0) wrong.push(`leaves ${remaining(told)} units`);
    const faults = wrong.filter((fault) => fault !== false);
    if (faults.length > 0) told.faults.push(`event ${row.seq} (${row.kind}${ofUser(row)}) ${faults.join(" and ")}`);
  }
  return told;
}

/** Units that are neither claimed nor held. */
export function remaining({ amount, claims, holds }: Retold): number {
  return amount - claims.size - holds.size;
}

function created(told: Retold, _user: string, event: EventRow, facts: Facts): (string | false)[] {
  told.createdAt = event.at;
  return [settle(told, facts), event.seq !== 1 && "is not the first"];
}

function changed(told: Retold, _user: string, event: EventRow, facts: Facts): (string | false)[] {
  return [settle(told, facts), event.seq === 1 && "is the first"];
}

function claimed(told: Retold, user: string, { at, position }: EventRow): (string | false)[] {
  const hold = told.holds.get(user);
  const wrong = [
    told.claims.has(user) && "has a claim already",
    position !== told.lastPosition + 1 && `is given position ${position} after ${told.lastPosition}`,
    hold !== undefined && hold.expiresAt <= at && "has a hold that was over",
    hold === undefined && closed(told, at),
  ];
  told.holds.delete(user);
  told.lastPosition = position ?? told.lastPosition;
  const remainingAfter = remaining(told) - (told.claims.has(user) ? 0 : 1);
  told.claims.set(user, { userId: user, position: told.lastPosition, claimedAt: at, remainingAfter });
  return wrong;
}

function released(told: Retold, user: string, { at, position }: EventRow): (string | false)[] {
  const claim = told.claims.get(user);
  if (claim === undefined) return ["has no claim"];
  told.claims.delete(user);
  told.releases.set(claim.position, { ...claim, releasedAt: at });
  return [position !== claim.position && `is at position ${claim.position} and not ${position}`];
}

function held(told: Retold, user: string, { at }: EventRow, facts: Facts): (string | false)[] {
  const expiresAt = facts["expires_at"];
  const wrong = [
    told.claims.has(user) && "has a claim",
    told.holds.has(user) && "has a hold already",
    typeof expiresAt === "number" && expiresAt <= at && "is over when it begins",
    typeof expiresAt === "number" && expiresAt - at > told.holdSecondsMax * 1000 && `is longer than ${told.holdSecondsMax} s`,
    told.holdsMax !== null && told.holds.size >= told.holdsMax && `comes while ${told.holds.size} of ${told.holdsMax} holds run`,
    closed(told, at),
  ];
  if (typeof expiresAt !== "number") return [...wrong, "has no expires_at"];
  told.holds.set(user, { userId: user, heldAt: at, expiresAt });
  return wrong;
}

function givenBack(told: Retold, user: string, { at }: EventRow): (string | false)[] {
  // An event that names limits is of version 2, which keeps a row of each released hold.
  told.releasedHolds.push({ userId: user, releasedAt: at, isKept: told.hasHoldLimits });
  return [!told.holds.delete(user) && "has no hold"];
}

function expired(told: Retold, user: string, { at }: EventRow): (string | false)[] {
  const hold = told.holds.get(user);
  told.holds.delete(user);
  return [hold === undefined && "has no hold", hold !== undefined && at < hold.expiresAt && "has a hold that was not over"];
}

/** Why nobody new could be given a unit at `at`. */
function closed(told: Retold, at: number): string | false {
  if (told.endsAt !== null && at >= told.endsAt) return "comes after the end of the sale";
  if (told.startsAt !== null && at < told.startsAt) return "comes before the sale";
  if (told.paused !== 0) return "comes while the sale is paused";
  return remaining(told) <= 0 && "comes when nothing is left";
}

/** Takes the settings; answers what is wrong with them. */
function settle(told: Retold, facts: Facts): string | false {
  told.amount = numberOf(facts["amount"]) ?? Number.NaN;
  told.startsAt = numberOf(facts["starts_at"]);
  told.endsAt = numberOf(facts["ends_at"]);
  told.paused = numberOf(facts["paused"]) ?? 0;
  const holdSecondsMax = numberOf(facts["hold_seconds_max"]);
  const isLost = told.hasHoldLimits && holdSecondsMax === null;
  told.hasHoldLimits ||= holdSecondsMax !== null;
  told.holdSecondsMax = holdSecondsMax ?? HOLD_SECONDS_MAX_BEFORE;
  told.holdsMax = numberOf(facts["holds_max"]);
  return isLost && "has no hold_seconds_max";
}

function numberOf(fact: unknown): number | null {
  return typeof fact === "number" ? fact : null;
}

function factsIn(data: string | null): Facts | null {
  if (data === null) return {};
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Facts) : null;
  } catch {
    return null;
  }
}

function ofUser({ userId }: EventRow): string {
  return userId === null ? "" : ` ${quoted(userId)}`;
}

function nothing(): Retold {
  return {
    amount: 0,
    startsAt: null,
    endsAt: null,
    paused: 0,
    holdSecondsMax: HOLD_SECONDS_MAX_BEFORE,
    holdsMax: null,
    hasHoldLimits: false,
    createdAt: 0,
    lastPosition: 0,
    seq: 0,
    at: -Infinity,
    claims: new Map(),
    holds: new Map(),
    releases: new Map(),
    releasedHolds: [],
    faults: [],
  };
}
