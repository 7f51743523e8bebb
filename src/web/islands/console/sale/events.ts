// The rules of the tail: which events of the ledger it has.

import type { LedgerEvent } from "./words.ts";

const EVENTS_MAX = 50;

export type Tail = {
  /** Newest first. */
  readonly events: readonly LedgerEvent[];
  /** Another value when a setting may have changed. */
  readonly settingsSeq: number;
};
export const EMPTY_TAIL: Tail = { events: [], settingsSeq: 0 };

/** Returns the seq that the next page of the history begins behind: at most 50 events before `head`. */
export function tailBegin(lastSeq: number, head: number): number {
  // A deleted sale of this name had more events.
  const known = lastSeq > head ? 0 : lastSeq;
  return Math.max(known, head - EVENTS_MAX, 0);
}

/** Returns the tail with newer events. After a gap, a setting may have changed in it. */
export function withEvents(tail: Tail, after: number, events: readonly LedgerEvent[]): Tail {
  const known = tail.events[0]?.seq ?? 0;
  const kept = after === known ? tail.events : [];
  const setting = events.findLast(({ kind }) => kind === "changed" || kind === "archived" || kind === "created");
  const settingsSeq = setting?.seq ?? (after === known ? tail.settingsSeq : after);
  return { events: [...events.toReversed(), ...kept].slice(0, EVENTS_MAX), settingsSeq };
}
