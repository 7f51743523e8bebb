// Replays a ledger: the coupon that its events alone make, and the events that can't have happened.

import { numberOf, settingsIn, type Settings } from "./settings.ts";
import type { ClaimRow, EventRow, HoldRow, ReleaseRow } from "./tables.ts";
import { quoted } from "./words.ts";

/** A claim as the ledger has it, without its key. */
export type ReplayedClaim = Omit<ClaimRow, "key">;

/** A coupon made from its ledger. */
export type Replayed = Settings & {
  /** Whether an event has named the limits for holds. Events of version 1 do not. */
  hasHoldLimits: boolean;
  createdAt: number;
  archivedAt: number | null;
  lastPosition: number;
  /** The last event, and when it happened. */
  seq: number;
  at: number;
  /** Claims and revoked claims by position, since no position is given twice. */
  readonly claims: Map<number, ReplayedClaim>;
  readonly releases: Map<number, ReleaseRow>;
  /** How many claims a user has. */
  readonly claimCounts: Map<string, number>;
  readonly holds: Map<string, HoldRow>;
  /** In the order of the events. `isKept` says that the tables must have a row for it. */
  readonly releasedHolds: { readonly userId: string; readonly releasedAt: number; readonly isKept: boolean }[];
  /** What is wrong with the events, a sentence each. */
  readonly faults: string[];
};

type Facts = Readonly<Record<string, unknown>>;
/** Applies an event even where it is wrong. Returns what is wrong with it. */
type Apply = (coupon: Replayed, user: string, event: EventRow, facts: Facts) => (string | false)[];

const EVENTS: ReadonlyMap<string, Apply> = new Map([
  ["created", created],
  ["changed", changed],
  ["claimed", claimed],
  ["released", revoked],
  ["held", held],
  ["given_back", holdReleased],
  ["expired", expired],
  ["archived", archived],
  ["erased", erased],
]);

/** Applies the events in the order given, up to the event `until`. */
export function replay(ledger: Iterable<EventRow>, until: number = Infinity): Replayed {
  const coupon = nothing();
  for (const row of ledger) {
    if (row.seq > until) break;
    const facts = factsIn(row.data);
    const wrong: (string | false)[] = [
      row.seq !== coupon.seq + 1 && `comes after event ${coupon.seq}`,
      row.at < coupon.at && "is earlier than the one before",
      facts === null && `has data that is no JSON object`,
    ];
    const apply = EVENTS.get(row.kind);
    if (apply === undefined) wrong.push(`is of an unknown kind`);
    else wrong.push(...apply(coupon, row.userId ?? "", row, facts ?? {}));
    coupon.seq = row.seq;
    coupon.at = row.at;
    if (remaining(coupon) < 0) wrong.push(`leaves ${remaining(coupon)} units`);
    const faults = wrong.filter((fault) => fault !== false);
    if (faults.length > 0) coupon.faults.push(`event ${row.seq} (${row.kind}${ofUser(row)}) ${faults.join(" and ")}`);
  }
  return coupon;
}

/** Units that are neither claimed nor held. */
export function remaining({ amount, claims, holds }: Replayed): number {
  return amount - claims.size - holds.size;
}

function created(coupon: Replayed, _user: string, event: EventRow, facts: Facts): (string | false)[] {
  coupon.createdAt = event.at;
  return [settle(coupon, facts), event.seq !== 1 && "is not the first"];
}

function changed(coupon: Replayed, _user: string, event: EventRow, facts: Facts): (string | false)[] {
  return [settle(coupon, facts), event.seq === 1 && "is the first", coupon.archivedAt !== null && "comes after the archive"];
}

function claimed(coupon: Replayed, user: string, { at, position }: EventRow): (string | false)[] {
  const hold = coupon.holds.get(user);
  const wrong = [
    hasAll(coupon, user) && "has a claim already",
    position !== coupon.lastPosition + 1 && `is given position ${position} after ${coupon.lastPosition}`,
    hold !== undefined && hold.expiresAt <= at && "has a hold that was over",
    hold === undefined && closed(coupon, at),
  ];
  coupon.holds.delete(user);
  coupon.lastPosition = position ?? coupon.lastPosition;
  const remainingAfter = remaining(coupon) - 1;
  coupon.claims.set(coupon.lastPosition, { userId: user, position: coupon.lastPosition, claimedAt: at, remainingAfter });
  addClaims(coupon, user, 1);
  return wrong;
}

function revoked(coupon: Replayed, user: string, { at, position }: EventRow): (string | false)[] {
  const claim = coupon.claims.get(position ?? 0);
  if (claim?.userId !== user) return [`has no claim at position ${position}`];
  coupon.claims.delete(claim.position);
  coupon.releases.set(claim.position, { ...claim, releasedAt: at });
  addClaims(coupon, user, -1);
  return [];
}

function held(coupon: Replayed, user: string, { at }: EventRow, facts: Facts): (string | false)[] {
  const expiresAt = facts["expires_at"];
  const wrong = [
    hasAll(coupon, user) && "has a claim",
    coupon.holds.has(user) && "has a hold already",
    typeof expiresAt === "number" && expiresAt <= at && "is over when it begins",
    typeof expiresAt === "number" && expiresAt - at > coupon.holdSecondsMax * 1000 && `is longer than ${coupon.holdSecondsMax} s`,
    coupon.holdsMax !== null && coupon.holds.size >= coupon.holdsMax && `comes while ${coupon.holds.size} of ${coupon.holdsMax} holds run`,
    closed(coupon, at),
  ];
  if (typeof expiresAt !== "number") return [...wrong, "has no expires_at"];
  coupon.holds.set(user, { userId: user, heldAt: at, expiresAt });
  return wrong;
}

function holdReleased(coupon: Replayed, user: string, { at }: EventRow): (string | false)[] {
  // Only version 2 names limits for holds, and it keeps a row of each released hold.
  coupon.releasedHolds.push({ userId: user, releasedAt: at, isKept: coupon.hasHoldLimits });
  return [!coupon.holds.delete(user) && "has no hold"];
}

function expired(coupon: Replayed, user: string, { at }: EventRow): (string | false)[] {
  const hold = coupon.holds.get(user);
  coupon.holds.delete(user);
  return [hold === undefined && "has no hold", hold !== undefined && at < hold.expiresAt && "has a hold that was not over"];
}

/** The sale is closed for good, and no hold is left. */
function archived(coupon: Replayed, _user: string, { at }: EventRow): (string | false)[] {
  const wrong = [coupon.archivedAt !== null && "comes after the archive"];
  coupon.archivedAt ??= at;
  coupon.holds.clear();
  return wrong;
}

/** The user's events have a pseudonym from here on, the earlier ones too. So nothing changes. */
function erased(_coupon: Replayed, user: string, { seq }: EventRow, { seqs }: Facts): (string | false)[] {
  const isListed = Array.isArray(seqs) && seqs.every((one) => typeof one === "number" && one < seq);
  return [!isPseudonym(user) && "has no pseudonym", !isListed && "lists no earlier events"];
}

/** Whether an id is the pseudonym of an erased user. */
export function isPseudonym(user: unknown): boolean {
  return typeof user === "string" && user.startsWith("erased:");
}

/** Whether the user can get no further claim. */
function hasAll({ claimCounts }: Replayed, user: string): boolean {
  return (claimCounts.get(user) ?? 0) > 0;
}

function addClaims({ claimCounts }: Replayed, user: string, count: 1 | -1): void {
  claimCounts.set(user, (claimCounts.get(user) ?? 0) + count);
}

/** Why no new user can get a unit at `at`, or false. */
function closed(coupon: Replayed, at: number): string | false {
  if (coupon.archivedAt !== null) return "comes after the archive";
  if (coupon.endsAt !== null && at >= coupon.endsAt) return "comes after the end of the sale";
  if (coupon.startsAt !== null && at < coupon.startsAt) return "comes before the sale";
  if (coupon.paused !== 0) return "comes while the sale is paused";
  return remaining(coupon) <= 0 && "comes when nothing is left";
}

/** Takes over the settings. Returns what is wrong with them. */
function settle(coupon: Replayed, facts: Facts): string | false {
  Object.assign(coupon, settingsIn(facts));
  const hasHoldLimits = numberOf(facts["hold_seconds_max"]) !== null;
  const isLost = coupon.hasHoldLimits && !hasHoldLimits;
  coupon.hasHoldLimits ||= hasHoldLimits;
  return isLost && "has no hold_seconds_max";
}

/** The details of an event. Null where they are no JSON object. */
export function factsIn(data: string | null): Facts | null {
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

function nothing(): Replayed {
  return {
    ...settingsIn({ amount: 0 }),
    hasHoldLimits: false,
    createdAt: 0,
    archivedAt: null,
    lastPosition: 0,
    seq: 0,
    at: -Infinity,
    claims: new Map(),
    claimCounts: new Map(),
    holds: new Map(),
    releases: new Map(),
    releasedHolds: [],
    faults: [],
  };
}
