// What the network does to one request. Drawn from the seed, so that a run can be drawn again.

import type { Random } from "../random.ts";

export const FAULTS = [
  "passes",
  // It arrives later, maybe when nobody waits for its answer any more.
  "request_delayed",
  "answer_delayed",
  // It never arrives.
  "request_lost",
  // Only a part of it arrives.
  "request_truncated",
  // It arrives, and its answer does not.
  "answer_lost",
  // Only a part of the answer arrives.
  "answer_truncated",
  // It arrives twice; one of the answers comes back.
  "duplicated",
  // It arrives, and then the connection breaks on both sides.
  "cut",
  // The client gives up while it is on its way.
  "client_gone",
] as const;

export type FaultPlan = {
  readonly is: (typeof FAULTS)[number];
  /** How long what is delayed takes longer, or how long it takes until something breaks, in milliseconds. */
  readonly ms: number;
  /** Which part of what is truncated arrives, from 0 to 99 percent. */
  readonly percent: number;
  /** With a loss: whether the connection breaks, or nobody says anything. With a duplicate: whether the second answer is the one that comes back. */
  readonly isOther: boolean;
};

export const NO_FAULT: FaultPlan = { is: "passes", ms: 0, percent: 0, isOther: false };

/** How many of a hundred requests something happens to. */
const FAULT_PERCENT = 40;
const DELAY_MS_MAX = 60;

/** Draws what becomes of a request. */
export function drawFaultPlan(random: Random): FaultPlan {
  if (random.below(100) >= FAULT_PERCENT) return NO_FAULT;
  const is = random.pick(FAULTS.slice(1));
  // Now and then longer than a client waits.
  const ms = random.below(8) === 0 ? random.below(1_000) : random.below(DELAY_MS_MAX);
  return { is, ms, percent: random.below(100), isOther: random.below(2) === 0 };
}
