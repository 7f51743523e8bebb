// What the network does to one request. It is drawn from the seed, so that a run can be drawn again.

import type { Random } from "../random.ts";

export const FAULTS = [
  "passes",
  // It arrives later, perhaps after its client gave up.
  "request_delayed",
  "answer_delayed",
  // It never arrives.
  "request_lost",
  // A part of it arrives.
  "request_truncated",
  // It arrives, and its answer does not.
  "answer_lost",
  // A part of the answer arrives.
  "answer_truncated",
  // It arrives twice; one of the answers comes back.
  "duplicated",
  // It arrives, and then the connection breaks on both sides.
  "cut",
  // The client gives up while it is on its way.
  "client_gone",
] as const;
export type FaultKind = (typeof FAULTS)[number];

export type FaultPlan = {
  readonly is: FaultKind;
  /** The delay, or the time until something breaks, in milliseconds. */
  readonly ms: number;
  /** How much of a truncated message arrives, from 0 to 99 percent. */
  readonly percent: number;
  /** A loss breaks the connection instead of being silent; of a duplicate, the second answer comes back. */
  readonly isOther: boolean;
};

export const NO_FAULT: FaultPlan = { is: "passes", ms: 0, percent: 0, isOther: false };

/** How many of a hundred requests meet a fault. */
const FAULT_PERCENT = 40;
const DELAY_MS_MAX = 60;

/** Draws the fault of a request. */
export function drawFaultPlan(random: Random): FaultPlan {
  if (random.below(100) >= FAULT_PERCENT) return NO_FAULT;
  const is = random.pick(FAULTS.slice(1));
  // One in eight is longer than a client waits.
  const ms = random.below(8) === 0 ? random.below(1_000) : random.below(DELAY_MS_MAX);
  return { is, ms, percent: random.below(100), isOther: random.below(2) === 0 };
}
