// Stores the parts of a backup, and makes a coupon of them. Each part is one transaction.

import { endFault, replayEvent, restoredCoupon, type BackupEvent, type BackupPart, type Replayed } from "../domain/backup.ts";
import { NO_CLAIM_COUNTS } from "../domain/claim-counts.ts";
import { remaining, type Instant } from "../domain/coupon.ts";
import type { LedgerEvent } from "../domain/ledger-event.ts";
import { RESTORE_MS_MAX } from "../domain/backup-limits.ts";
import { addToSha256, sha256Hex, SHA256_START } from "../domain/sha256.ts";
import type { CouponStore } from "./coupon-store.ts";
import type { RestoreStore, Restoring } from "./restore-store.ts";

/** A line that can't be restored. Its number counts within the part. */
export class LineFault extends Error {
  override readonly name = "LineFault";
  readonly line: number;

  constructor(line: number, fault: string) {
    super(fault);
    this.line = line;
  }
}

export type Stored = { readonly isFinished: boolean; readonly nextPart: number };

/** Returns until when an unfinished restore is kept. */
export function keptUntil({ beganAt }: Restoring): Instant {
  return beganAt + RESTORE_MS_MAX;
}

/** Returns the part that comes next, if `part` is not it: it was stored already, or one before it is missing. */
export function otherPart(part: BackupPart, restoring: Restoring | null): number | null {
  const next = (restoring?.part ?? 0) + 1;
  // A part that is a whole backup is not a repeated one: the hash leaves out the last line.
  const isRepeated = part.end === null && restoring?.firstPart === hashOf(part.bytes);
  if (part.number === 1) return isRepeated ? next : null;
  return part.number === next ? null : next;
}

/**
 * Stores one part. The first one discards a restore that is not finished. The last one makes the coupon `name`. Throws
 * {@link LineFault}. Call it inside a transaction.
 */
export function storePart(
  stores: { readonly coupon: CouponStore; readonly restore: RestoreStore },
  part: BackupPart,
  by: { readonly name: string; readonly epoch: string; readonly at: Instant; readonly actor: string | null },
): Stored {
  const known = stores.restore.get();
  if (part.number === 1) {
    if (known !== null) stores.restore.discard();
    stores.restore.begin();
  }
  const before = part.number === 1 ? begun(part, by) : known;
  if (before === null) throw new LineFault(1, "the first part is missing");
  if (part.number > 1 && part.header !== null) throw new LineFault(1, "only the first part begins with the backup's first line");
  const hash = addToSha256(before, part.bytes);
  const replayed = storeEvents(stores.coupon, part, before);
  if (part.end === null) {
    stores.restore.put({ ...before, ...hash, part: part.number, replayed });
    return { isFinished: false, nextPart: part.number + 1 };
  }
  const lineCount = part.events.length + (part.header === null ? 0 : 1) + 1;
  const fault = endFault(before.header, replayed, part.end, sha256Hex(hash));
  if (fault !== null || replayed === null) throw new LineFault(lineCount, fault ?? "there is no event");
  stores.coupon.insert(restoredCoupon(by.name, by.epoch, before.header, replayed), NO_CLAIM_COUNTS, before.erasureKey);
  stores.restore.finish();
  return { isFinished: true, nextPart: part.number + 1 };
}

function begun({ header, bytes }: BackupPart, { at, actor }: { readonly at: Instant; readonly actor: string | null }): Restoring {
  if (header === null) throw new LineFault(1, "a backup begins with its first line");
  const { epoch, erasureKey } = header;
  return { ...SHA256_START, header, epoch, erasureKey, part: 0, firstPart: hashOf(bytes), replayed: null, beganAt: at, actor };
}

function hashOf(bytes: Uint8Array): string {
  return sha256Hex(addToSha256(SHA256_START, bytes));
}

/** Stores the events of a part, and what they make. Returns the facts after them. */
function storeEvents(
  store: CouponStore,
  { header, events }: BackupPart,
  { header: of, epoch, replayed, beganAt, actor }: Restoring,
): Replayed | null {
  const after = replayed?.seq ?? 0;
  const lineOf = (index: number): number => index + (header === null ? 1 : 2);
  const gap = events.findIndex(({ seq }, index) => seq !== after + index + 1);
  if (gap !== -1) throw new LineFault(lineOf(gap), `event ${events[gap]?.seq} comes after event ${after + gap}`);
  const [first, ...others] = events;
  const restored = { epoch, seq: of.seq, asOf: of.at, at: beganAt, by: actor };
  const isCreation = first?.seq === 1 && first.data !== null;
  store.ledger.appendStored(isCreation ? [{ ...first, data: store.ledger.withRestored(first.data, restored) }, ...others] : events);
  let current = replayed;
  // The ledger's own reader parses the details, as for every other reader of this ledger.
  for (const [index, event] of store.ledger.events(after, events.length).entries()) {
    const line = events[index];
    if (line === undefined) continue;
    const facts = factsOf(store, event, line, current?.held ?? 0);
    const replay = replayEvent(current, event, facts);
    if (!replay.ok) throw new LineFault(lineOf(index), replay.fault);
    if (event.userId !== null) storeRows(store, { ...event, userId: event.userId }, line, facts, remaining(replay.coupon));
    else if (event.kind === "archived") store.holds.deleteAll();
    current = replay.coupon;
  }
  return current;
}

function factsOf(store: CouponStore, { kind, userId }: LedgerEvent, { key }: BackupEvent, held: number) {
  return {
    claim: userId === null ? null : (store.claims.of(userId)[0] ?? null),
    hold: userId === null || held === 0 ? null : (store.holds.of(userId)[0] ?? null),
    keyOwner: kind === "claimed" && key !== null ? store.claims.keyOwner(key) : null,
  };
}

/** Writes what an event makes of its user's rows. */
function storeRows(
  store: CouponStore,
  { kind, seq, at, userId, position, expiresAt }: LedgerEvent & { readonly userId: string },
  { key, attemptId, attemptIds }: BackupEvent,
  { claim, hold }: ReturnType<typeof factsOf>,
  remainingAfter: number,
): void {
  // The request of a hold that has ended is unknown. No other request's id has a space.
  const request = attemptId ?? `event ${seq}`;
  if (kind === "claimed" && position !== null)
    store.claims.insert([{ userId, position, claimedAt: at, remainingAfter, key, attemptId: request }]);
  if (kind === "held" && expiresAt !== undefined) store.holds.insert([{ userId, heldAt: at, expiresAt, attemptId: request }]);
  if (kind === "released" && claim !== null) {
    store.claims.delete([claim]);
    store.claims.insertRevoked({ claim, revokedAt: at });
  }
  if (hold !== null && (kind === "claimed" || kind === "given_back" || kind === "expired")) store.holds.delete([hold]);
  if (kind !== "given_back") return;
  const released = attemptIds.find((id) => !store.holds.isReleased(userId, id));
  if (released !== undefined) store.holds.insertReleased([[userId, released, at]]);
}
