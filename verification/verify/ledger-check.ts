// The seventh check: the ledger alone tells the same coupon as the other tables.

import type { Findings } from "./checks.ts";
import type { Retold, RetoldClaim } from "./replay.ts";
import type { HoldRow, ReleasedHoldRow, ReleaseRow, Tables } from "./tables.ts";
import { counted, instant, quoted } from "./words.ts";

/** Compares what the ledger tells with what the tables hold. */
export function ledgerFindings(tables: Tables, told: Retold): Findings {
  const { claims, holds, releases, seq } = told;
  const faults = [
    ...told.faults,
    ...settingFaults(tables, told),
    ...rowFaults(CLAIM, tables.claims, claims),
    ...rowFaults(HOLD, tables.holds, holds),
    ...rowFaults(RELEASE, tables.releases, releases),
    ...releasedHoldFaults(tables, told),
  ];
  const all = [counted(claims.size, "claim"), counted(holds.size, "hold"), counted(releases.size, "release")].join(", ");
  return { faults, summary: `${counted(seq, "event")}, retold: ${all}` };
}

function settingFaults({ coupon }: Tables, told: Retold): string[] {
  const pairs: readonly (readonly [what: string, stored: unknown, retold: unknown])[] = [
    ["the ledger's head", coupon.seq, told.seq],
    ["the amount", coupon.amount, told.amount],
    ["claimed", coupon.claimed, told.claims.size],
    ["held", coupon.held, told.holds.size],
    ["the last position", coupon.lastPosition, told.lastPosition],
    ["the start of the sale", coupon.startsAt, told.startsAt],
    ["the end of the sale", coupon.endsAt, told.endsAt],
    ["paused", coupon.paused, told.paused],
    ["the longest hold", coupon.holdSecondsMax, told.holdSecondsMax],
    ["the most holds", coupon.holdsMax, told.holdsMax],
    ["the creation", coupon.createdAt, told.createdAt],
  ];
  const faults = pairs
    .filter(([, stored, ofLedger]) => stored !== ofLedger)
    .map(([what, stored, ofLedger]) => `${what} is ${String(stored)}, and ${String(ofLedger)} by the ledger`);
  return coupon.clockAt < told.at ? [...faults, `the coupon's clock is behind its last event`] : faults;
}

/** A kind of rows: which of its fields is the key of a ledger's rows, which ones both sides know, and how one is called. */
type Kind<Key extends keyof Row, Row extends object> = {
  readonly key: Key;
  readonly fields: readonly (keyof Row)[];
  readonly words: (row: Row) => string;
};

const CLAIM: Kind<"userId", RetoldClaim> = {
  key: "userId",
  fields: ["userId", "position", "claimedAt", "remainingAfter"],
  words: claimWords,
};
const HOLD: Kind<"userId", HoldRow> = {
  key: "userId",
  fields: ["userId", "heldAt", "expiresAt"],
  words: ({ userId, heldAt, expiresAt }) => `the hold of ${quoted(userId)} from ${instant(heldAt)} until ${instant(expiresAt)}`,
};
const RELEASE: Kind<"position", ReleaseRow> = {
  key: "position",
  fields: [...CLAIM.fields, "releasedAt"],
  words: (row) => `the release of ${claimWords(row)}, taken back ${instant(row.releasedAt)}`,
};

function claimWords({ userId, position, claimedAt, remainingAfter }: RetoldClaim): string {
  return `the claim of ${quoted(userId)} at position ${position}, ${instant(claimedAt)}, ${remainingAfter} left`;
}

/**
 * A ledger does not know of which request a hold was, so its events are matched by user and instant. Version 1 kept no rows: once one is
 * there, or an event has named the limits of version 2, all later ones are.
 */
function releasedHoldFaults({ releasedHolds }: Tables, told: Retold): string[] {
  const left = new Map<string, number>();
  for (const row of releasedHolds.map(releasedHoldWords)) left.set(row, (left.get(row) ?? 0) + 1);
  const missing: string[] = [];
  let isKept = false;
  for (const event of told.releasedHolds) {
    const words = releasedHoldWords(event);
    const count = left.get(words) ?? 0;
    isKept ||= event.isKept || count > 0;
    if (count > 0) left.set(words, count - 1);
    else if (isKept) missing.push(`${words} is in the ledger alone`);
  }
  const strange = [...left].filter(([, count]) => count > 0).map(([words]) => `${words} is not in the ledger`);
  return [...strange, ...missing];
}

function releasedHoldWords({ userId, releasedAt }: Pick<ReleasedHoldRow, "userId" | "releasedAt">): string {
  return `the hold of ${quoted(userId)}, released ${instant(releasedAt)},`;
}

/** What one side has and the other lacks, also where it has the same twice. A row that differs is lacking on both. */
function rowFaults<Key extends keyof Row, Row extends object>(
  { key, fields, words }: Kind<Key, Row>,
  stored: readonly Row[],
  retold: ReadonlyMap<Row[Key], Row>,
): string[] {
  const left = new Map(retold);
  const strange = stored.filter((row) => {
    const twin = left.get(row[key]);
    const isSame = twin !== undefined && fields.every((field) => row[field] === twin[field]);
    if (isSame) left.delete(row[key]);
    return !isSame;
  });
  return [
    ...strange.map((row) => `${words(row)} is not in the ledger`),
    ...[...left.values()].map((row) => `${words(row)} is in the ledger alone`),
  ];
}
