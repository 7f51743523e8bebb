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
};

/** Returns the details of an event as the ledger and the read model store them: JSON, or null if it has none. */
export function dataOf({ settings, expiresAt, key, wasHeld, erasedSeqs }: LedgerEvent): string | null {
  if (wasHeld !== undefined) return JSON.stringify({ was_held: 1 });
  if (erasedSeqs !== undefined) return JSON.stringify({ seqs: erasedSeqs });
  if (expiresAt !== undefined) return JSON.stringify({ expires_at: expiresAt });
  if (settings === undefined) return null;
  const { paused, ...others } = named(settings);
  return JSON.stringify({ ...others, paused: paused ? 1 : 0, idempotency_key: key });
}
