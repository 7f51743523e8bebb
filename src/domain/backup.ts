// A backup of a coupon: its lines as values, and the rules by which a restore accepts them.

import type { Claim, Hold } from "./claim.ts";
import { hasSameSettings, remaining, settingsOf, type Changeable, type Coupon, type Instant } from "./coupon.ts";
import type { LedgerEvent } from "./ledger-event.ts";

/** The facts of a coupon that follow from its ledger. `at` is the instant of the last event. */
export type Replayed = Changeable &
  Pick<Coupon, "seq" | "createdAt" | "archivedAt" | "claimed" | "held" | "lastPosition"> & { readonly at: Instant };

/** The first line: the coupon when the backup began. `seq` is the last event of the backup, and `at` the coupon's time. */
export type BackupHeader = Replayed &
  Pick<Coupon, "name" | "epoch"> & {
    /** Makes the pseudonyms of erased users, so that they can't claim again. Null while there are none. */
    readonly erasureKey: string | null;
  };

/** One event as the ledger stores it, and what only other tables know of it. */
export type BackupEvent = Pick<LedgerEvent, "seq" | "at" | "kind" | "actor" | "userId" | "position"> & {
  /** JSON. */
  readonly data: string | null;
  /** With `claimed`: the idempotency key, if any. */
  readonly key: string | null;
  /** With `claimed`, and with `held` while the hold runs: the request's id. */
  readonly attemptId: string | null;
  /** With `given_back`: the requests whose holds this user released at this instant. */
  readonly attemptIds: readonly string[];
};

/** The last line of a complete backup. The hash is over the bytes of all lines before it. */
export type BackupEnd = Pick<Coupon, "epoch" | "seq"> & { readonly sha256: string };

/** Consecutive lines of a backup. `bytes` are those of all lines but the last one of the backup. */
export type BackupPart = {
  readonly number: number;
  readonly header: BackupHeader | null;
  readonly events: readonly BackupEvent[];
  readonly end: BackupEnd | null;
  readonly bytes: Uint8Array;
};

/** What the user of an event has before it, and the user whose claim has the event's key. */
export type ReplayFacts = { readonly claim: Claim | null; readonly hold: Hold | null; readonly keyOwner: string | null };

export type Replay = { readonly ok: true; readonly coupon: Replayed } | { readonly ok: false; readonly fault: string };

/**
 * Replays one event. `before` is null for the first one. A fault says why the event can't have happened. The rule is about counts and
 * uniqueness. It does not judge again whether the sale was open.
 */
export function replayEvent(before: Replayed | null, event: LedgerEvent, facts: ReplayFacts): Replay {
  const { seq, at, kind, settings } = event;
  if (before === null) {
    if (seq !== 1 || kind !== "created" || settings === undefined)
      return { ok: false, fault: "a ledger begins with the coupon's creation" };
    const nothing = { claimed: 0, held: 0, lastPosition: 0, archivedAt: null };
    return { ok: true, coupon: { ...settings, ...nothing, seq, at, createdAt: at } };
  }
  if (seq !== before.seq + 1) return { ok: false, fault: `event ${seq} comes after event ${before.seq}` };
  if (at < before.at) return { ok: false, fault: `event ${seq} is earlier than the one before` };
  const change = changeBy(before, event, facts);
  if (typeof change === "string") return { ok: false, fault: `event ${seq} (${kind}) ${change}` };
  const coupon = { ...before, ...change, seq, at };
  return remaining(coupon) < 0 ? { ok: false, fault: `event ${seq} (${kind}) leaves ${remaining(coupon)} units` } : { ok: true, coupon };
}

/** Returns what an event changes, or what is wrong with it. */
function changeBy(before: Replayed, event: LedgerEvent, { claim, hold, keyOwner }: ReplayFacts): Partial<Replayed> | string {
  const { kind, at, userId, position, settings, expiresAt, wasHeld } = event;
  const { claimed, held, lastPosition, archivedAt } = before;
  if (kind !== "changed" && kind !== "archived" && userId === null) return "names no user";
  if (archivedAt !== null && kind !== "released" && kind !== "erased") return "comes after the archive";
  switch (kind) {
    case "claimed":
      if (claim !== null) return "is of a user who has a claim";
      if (keyOwner !== null) return "has the key of another claim";
      if (position !== lastPosition + 1) return `has position ${position} after ${lastPosition}`;
      if (wasHeld === true && hold === null) return "is of a user without a hold";
      return { claimed: claimed + 1, held: hold === null ? held : held - 1, lastPosition: position };
    case "released":
      return claim !== null && claim.position === position ? { claimed: claimed - 1 } : "is of a user without that claim";
    case "held":
      if (claim !== null || hold !== null) return "is of a user who has a unit";
      return expiresAt === undefined || expiresAt <= at ? "ends before it begins" : { held: held + 1 };
    case "given_back":
      return hold === null ? "is of a user without a hold" : { held: held - 1 };
    case "expired":
      return hold === null || hold.expiresAt > at ? "is of a user without a hold that is over" : { held: held - 1 };
    case "changed":
      return settings ?? "has no settings";
    case "erased":
      return {};
    case "archived":
      return { archivedAt: at, held: 0 };
    default:
      return "is not the first one";
  }
}

/** Returns why a backup is not complete or not undamaged, or null. `replayed` is what its events have made. */
export function endFault(header: Replayed, replayed: Replayed | null, end: BackupEnd, sha256: string): string | null {
  if (sha256 !== end.sha256) return `the lines before have the SHA-256 ${sha256}`;
  if (replayed === null || replayed.seq !== header.seq || end.seq !== header.seq) return `the backup ends before event ${header.seq}`;
  const facts = ["createdAt", "archivedAt", "claimed", "held", "lastPosition"] as const;
  const wrong = facts.find((fact) => header[fact] !== replayed[fact]);
  if (wrong !== undefined) return `${wrong} is ${replayed[wrong]} by the events, and ${header[wrong]} in the first line`;
  if (!hasSameSettings(header, replayed)) return "the settings by the events are not those in the first line";
  return replayed.at > header.at ? "the coupon's time is behind its last event" : null;
}

/** Returns the coupon that a restore makes. It goes on after the backup's time, so that later events are later. */
export function restoredCoupon(name: string, epoch: string, header: Replayed, replayed: Replayed): Omit<Coupon, "nextExpiryAt"> {
  const { seq, createdAt, archivedAt, claimed, held, lastPosition } = replayed;
  const facts = { seq, createdAt, archivedAt, claimed, held, lastPosition };
  return { ...settingsOf(replayed), ...facts, name, epoch, clockAt: header.at + 1 };
}
