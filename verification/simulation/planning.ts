// Random plans: which history a seed stands for.

import { seeded, type Random } from "../random.ts";
import { Asking } from "./asking.ts";
import type { AskStep, BreakStep, ClockStep, FaultPlan, FlushStep, Plan, RestartStep, Step } from "./plan.ts";
import { ISOLATE_COUNT } from "./product.ts";
import { saleOf } from "./sales.ts";

/** The plan of a seed, always the same. */
export function planOf(seed: number): Plan {
  // Neighbouring seeds would begin alike.
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  const sale = saleOf(random);
  const asks = new Asking(random, sale).steps();
  return {
    seed,
    diskMs: sale.diskMs,
    diskJitterMs: random.below(3),
    slowFlushes: random.pick([0, 0, 10, 40]),
    slowDiskMs: random.pick([40, 300, 1200]),
    faultPercent: sale.faultPercent,
    wayMsMax: sale.wayMsMax,
    alarmLateMs: random.pick([0, 0, 5, 60]),
    isEdgeOn: sale.isEdgeOn,
    isDrained: random.below(2) === 0,
    steps: withFaults(random, asks, asks.at(-1)?.at ?? 0, sale.isEdgeOn),
  };
}

/** Most histories have something fail, a few have much. */
function withFaults(random: Random, asks: readonly AskStep[], lastAt: number, isEdgeOn: boolean): Step[] {
  const count = random.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 3]);
  const faults = Array.from({ length: count }, () => faultStep(random, asks, lastAt, isEdgeOn));
  if (isEdgeOn && random.below(4) === 0) faults.push(clockStep(random, lastAt));
  // Stable: a fault comes before what is asked at its instant.
  return faults.length === 0 ? [...asks] : [...faults, ...asks].sort((a, b) => a.at - b.at);
}

function faultStep(
  random: Random,
  asks: readonly AskStep[],
  lastAt: number,
  isEdgeOn: boolean,
): BreakStep | RestartStep | ClockStep | FlushStep {
  const dice = random.below(20);
  if (dice < 11) return breakStep(random, asks, isEdgeOn);
  if (dice < 16) return restartStep(random, lastAt, isEdgeOn);
  const at = random.below(lastAt + 8);
  if (dice === 16) return { is: "flush", at };
  return clockStep(random, lastAt);
}

function clockStep({ below }: Random, lastAt: number): ClockStep {
  return { is: "clock", at: below(lastAt + 8), isolate: below(ISOLATE_COUNT), backMs: 1 + below(50) };
}

/** Armed when some request reaches the object, or when what it holds runs out. */
function breakStep(random: Random, asks: readonly AskStep[], isEdgeOn: boolean): BreakStep {
  const { at, ask, faultPlans } = aimOf(random, asks);
  const arrivesAt = at + (faultPlans[0]?.toMs ?? 0);
  const isOfAlarm = ask.kind === "hold" && random.below(2) === 0;
  return {
    is: "break",
    // Behind its arrival comes, when the disk is ready, the batch that it waits for.
    at: isOfAlarm ? arrivesAt + ask.ttlMs : arrivesAt + (random.below(4) === 0 ? 1 : 0),
    skip: random.below(6) === 0 ? random.below(24) : random.below(10),
    how: random.below(2) === 0 ? "throw" : "crash",
    ...end(random, isEdgeOn),
  };
}

/** Claims are many, and without its creation there is no coupon: most faults are for the others. */
function aimOf(random: Random, asks: readonly AskStep[]): AskStep {
  const first = random.pick(asks);
  return first.ask.kind === "create" || (first.ask.kind === "claim" && random.below(2) === 0) ? random.pick(asks) : first;
}

function restartStep(random: Random, lastAt: number, isEdgeOn: boolean): RestartStep {
  return { is: "restart", at: random.below(lastAt + 8), ...end(random, isEdgeOn) };
}

/**
 * Certificates allow for clocks that differ a little: an instance whose clock is far ahead of the one before it opens a window before
 * their end, and ends holds.
 */
function end(random: Random, isEdgeOn: boolean): { isLossy: boolean; skewMs: number | null; mark: FaultPlan["mark"] } {
  const { below, pick } = random;
  const skewMs = below(2) === 0 ? null : isEdgeOn ? below(46) - 20 : below(4) === 0 ? pick([-5_000, 5_000]) : below(61) - 30;
  return { isLossy: below(2) === 0, skewMs, mark: pick(["reset", "reset", "retryable", "unmarked"]) };
}
