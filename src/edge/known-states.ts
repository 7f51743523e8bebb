// The states of each coupon that this isolate has read. A viewer who reconnects names the seq that it saw
// last, so it gets the change of the state that it missed.

import type { SaleState } from "../domain/coupon.ts";
import { KNOWN_STATES_MAX, HEADS_MAX, STREAM_GAP_MS } from "../domain/limits.ts";

/** The coupon had `state` from `firstSeq` to `lastSeq`. Another state was read at `untilAt`. */
export type StateRun = {
  readonly epoch: string;
  readonly state: SaleState;
  readonly firstSeq: number;
  lastSeq: number;
  untilAt: number;
};

const runsOf = new Map<string, StateRun[]>();

/** Records the state that an answer of the object shows. */
export function recordState(name: string, seq: number, { epoch, state }: Pick<StateRun, "epoch" | "state">): void {
  const runs = runsOf.get(name) ?? [];
  const last = runs.at(-1);
  if (last?.epoch === epoch && last.state === state && last.firstSeq <= seq) {
    last.lastSeq = Math.max(last.lastSeq, seq);
    return;
  }
  if (last !== undefined) last.untilAt = Date.now();
  // A full memory is cleared. A viewer then gets the message without the event.
  if (last === undefined && runsOf.size >= HEADS_MAX) runsOf.clear();
  const ofEpoch = runs.filter((run) => run.epoch === epoch);
  runsOf.set(name, [...ofEpoch, { epoch, state, firstSeq: seq, lastSeq: seq, untilAt: Infinity }].slice(-KNOWN_STATES_MAX));
}

/** Returns the state that a viewer saw at `seq`, or null if this isolate does not know it. */
export function knownState(name: string, seq: number): SaleState | null {
  return stateIn(runsOf.get(name) ?? [], seq, Date.now());
}

/**
 * Returns the state at `seq`. Time alone can change the state at one seq. Then it returns the earlier state
 * for STREAM_GAP_MS, because a viewer may have left before the change. So an event can come twice, but none
 * is missed.
 */
export function stateIn(runs: readonly Omit<StateRun, "epoch">[], seq: number, now: number): SaleState | null {
  const possible = runs.filter(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
  return (possible.find(({ untilAt }) => now - untilAt < STREAM_GAP_MS) ?? possible.at(-1))?.state ?? null;
}
