// The seventh check: the ledger alone makes the same coupon as the other tables.

import type { Findings } from "./checks.ts";
import type { Replayed, ReplayedClaim } from "./replay.ts";
import { SETTINGS } from "./settings.ts";
import type { HoldRow, ReleasedHoldRow, ReleaseRow, Tables } from "./tables.ts";
import { counted, instant, quoted } from "./words.ts";

/** Compares the replayed ledger with the tables. */
export function ledgerFindings(tables: Tables, replayed: Replayed): Findings {
  const { claims, holds, releases, seq } = replayed;
  const faults = [
    ...replayed.faults,
    ...settingFaults(tables, replayed),
    ...rowFaults(CLAIM, tables.claims, claims),
    ...rowFaults(HOLD, tables.holds, holds),
    ...rowFaults(RELEASE, tables.releases, releases),
    ...releasedHoldFaults(tables, replayed),
  ];
  const all = [counted(claims.size, "claim"), counted(holds.size, "hold"), counted(releases.size, "revocation")].join(", ");
  return { faults, summary: `${counted(seq, "event")} replayed: ${all}` };
}

function settingFaults({ coupon }: Tables, replayed: Replayed): string[] {
  const pairs: readonly (readonly [what: string, stored: unknown, ofLedger: unknown])[] = [
    ["the ledger's head", coupon.seq, replayed.seq],
    ...SETTINGS.map(([field, { what }]) => [what, coupon[field], replayed[field]] as const),
    ["claimed", coupon.claimed, replayed.claims.size],
    ["held", coupon.held, replayed.holds.size],
    ["the last position", coupon.lastPosition, replayed.lastPosition],
    ["the creation", coupon.createdAt, replayed.createdAt],
    ["the archive", coupon.archivedAt, replayed.archivedAt],
  ];
  const faults = pairs
    .filter(([, stored, ofLedger]) => stored !== ofLedger)
    .map(([what, stored, ofLedger]) => `${what} is ${String(stored)}, and ${String(ofLedger)} by the ledger`);
  return coupon.clockAt < replayed.at ? [...faults, `the coupon's clock is behind its last event`] : faults;
}

/** A kind of row: its key in the replay, the fields that both sides have, and its words. */
export type Kind<Key extends keyof Row, Row extends object> = {
  readonly key: Key;
  readonly fields: readonly (keyof Row)[];
  readonly words: (row: Row) => string;
};

const CLAIM: Kind<"position", ReplayedClaim> = {
  key: "position",
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
  words: (row) => `the revocation of ${claimWords(row)}, revoked ${instant(row.releasedAt)}`,
};

function claimWords({ userId, position, claimedAt, remainingAfter }: ReplayedClaim): string {
  return `the claim of ${quoted(userId)} at position ${position}, ${instant(claimedAt)}, ${remainingAfter} left`;
}

/**
 * The ledger does not have the request of a hold, so events and rows are matched by user and instant. Version
 * 1 kept no rows. After the first row, or the first event that names limits, every release must have a row.
 */
function releasedHoldFaults({ releasedHolds }: Tables, replayed: Replayed): string[] {
  const left = new Map<string, number>();
  for (const row of releasedHolds.map(releasedHoldWords)) left.set(row, (left.get(row) ?? 0) + 1);
  const missing: string[] = [];
  let isKept = false;
  for (const event of replayed.releasedHolds) {
    const words = releasedHoldWords(event);
    const count = left.get(words) ?? 0;
    isKept ||= event.isKept || count > 0;
    if (count > 0) left.set(words, count - 1);
    else if (isKept) missing.push(`${words} is in the ledger alone`);
  }
  const unexpected = [...left].filter(([, count]) => count > 0).map(([words]) => `${words} is not in the ledger`);
  return [...unexpected, ...missing];
}

function releasedHoldWords({ userId, releasedAt }: Pick<ReleasedHoldRow, "userId" | "releasedAt">): string {
  return `the hold of ${quoted(userId)}, released ${instant(releasedAt)},`;
}

/**
 * Rows that one side has and the other lacks, duplicates too. A row that differs is missing on both sides.
 */
export function rowFaults<Key extends keyof Row, Row extends object>(
  { key, fields, words }: Kind<Key, Row>,
  stored: readonly Row[],
  replayed: ReadonlyMap<Row[Key], Row>,
): string[] {
  const left = new Map(replayed);
  const unexpected = stored.filter((row) => {
    const twin = left.get(row[key]);
    const isSame = twin !== undefined && fields.every((field) => row[field] === twin[field]);
    if (isSame) left.delete(row[key]);
    return !isSame;
  });
  return [
    ...unexpected.map((row) => `${words(row)} is not in the ledger`),
    ...[...left.values()].map((row) => `${words(row)} is in the ledger alone`),
  ];
}
