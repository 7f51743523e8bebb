// The events of a coupon's ledger.

import { named, type Changeable, type Instant } from "./coupon.ts";

/** A revoke is `released`. A released hold is `given_back`. `archived` ends all holds too. `erased` has the pseudonym. */
export const EVENT_KINDS = ["created", "changed", "claimed", "released", "held", "given_back", "expired", "archived", "erased"] as const;
/** Every pseudonym of an erased user begins with it, and no user id that is accepted does. */
export const PSEUDONYM_PREFIX = "erased:";
export type EventKind = (typeof EVENT_KINDS)[number];

/** One event. It has the details of its kind. */
export type LedgerEvent = {
  readonly seq: number;
  readonly at: Instant;
  readonly kind: EventKind;
  /** The operator who caused it. Null if a user or time did, and in events older than actors. */
  readonly actor: string | null;
  readonly userId: string | null;
  /** With `claimed` and `released`. */
  readonly position: number | null;
  /** With `created` and `changed`: the settings from then on. */
  readonly settings?: Changeable;
  /** With `created`: the idempotency key of the request, if it had one. */
  readonly key?: string;
  /** With `held`. */
  readonly expiresAt?: Instant;
  /** With `erased`: the events that have the pseudonym since then. */
  readonly erasedSeqs?: readonly number[];
  /** With `claimed`: the user held the unit, so the claim took none from the stock. */
  readonly wasHeld?: true;
  /** With `created`: the backup that this coupon was restored from. */
  readonly restored?: Restored;
};

/** A backup, the restore of it, and the operator who did that. */
export type Restored = {
  /** The coupon of the backup. */
  readonly epoch: string;
  /** The last event of the backup. */
  readonly seq: number;
  /** The coupon's time when it was backed up. Everything after it has happened since the restore. */
  readonly asOf: Instant;
  readonly at: Instant;
  readonly by: string | null;
};

/** Returns the details of an event as the ledger and the read model store them: JSON, or null if it has none. */
export function dataOf({ settings, expiresAt, key, wasHeld, erasedSeqs, restored }: LedgerEvent): string | null {
  if (wasHeld !== undefined) return JSON.stringify({ was_held: 1 });
  if (erasedSeqs !== undefined) return JSON.stringify({ seqs: erasedSeqs });
  if (expiresAt !== undefined) return JSON.stringify({ expires_at: expiresAt });
  if (settings === undefined) return null;
  const { paused, ...others } = named(settings);
  const made = { ...others, paused: paused ? 1 : 0, idempotency_key: key };
  if (restored === undefined) return JSON.stringify(made);
  const { epoch, seq, asOf, at, by } = restored;
  return JSON.stringify({ ...made, restored_epoch: epoch, restored_seq: seq, restored_as_of: asOf, restored_at: at, restored_by: by });
}
