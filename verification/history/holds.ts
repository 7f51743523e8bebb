// Reads the holds of a user from a ledger.

import type { LedgerEvent } from "../model/types.ts";

/** The slot of a user's last hold up to `slot`, or 0. */
export function holdBefore(events: readonly LedgerEvent[], slot: number, userId: string): number {
  return events.findLastIndex((event, index) => index < slot && event.kind === "held" && event.userId === userId) + 1;
}

/**
 * Whether this attempt made a hold that was released before `slot`, in the same incarnation: it makes no
 * other.
 */
export function isHoldReleased(events: readonly LedgerEvent[], slot: number, userId: string, attempt: string): boolean {
  let isReleased = false;
  for (let earlier = slot - 1; earlier > 0; earlier -= 1) {
    const event = events[earlier - 1];
    if (event?.kind === "removed") return false;
    if (event?.userId !== userId) continue;
    if (event.kind === "held" && event.attempt === attempt && isReleased) return true;
    if (event.kind === "held" || event.kind === "given_back") isReleased = event.kind === "given_back";
  }
  return false;
}
