// Random plans: a seed stands for one history.

import { seeded, type Random } from "../random.ts";
import { Asks } from "./asks.ts";
import { deliveryOf } from "./delivery-plan.ts";
import { erasuresOf } from "./erasure-plan.ts";
import { lanesOf } from "./lanes-plan.ts";
import type { AskStep, BreakStep, ClockStep, FaultPlan, FlushStep, Plan, RestartStep, Step } from "./plan.ts";
import { ISOLATE_COUNT } from "./product.ts";
import { restoresOf } from "./restore-plan.ts";
import { saleOf } from "./sales.ts";

/** Of so many histories, one has a courier. */
const COURIER_ONE_OF = 8;
/** Of so many histories, one has erasures. */
const ERASURES_ONE_OF = 8;
/** Of so many histories, one has backups and restores. */
const RESTORES_ONE_OF = 8;
/** Of so many histories, one has lanes. */
const LANES_ONE_OF = 4;

/** Returns the plan of a seed, always the same. */
export function planOf(seed: number): Plan {
  // Without this, neighbouring seeds begin alike.
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  const sale = saleOf(random);
  const drawn = new Asks(random, sale);
  const asks = drawn.steps();
  const lastAt = asks.at(-1)?.at ?? 0;
  const plan: Plan = {
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
    steps: withFaults(random, asks, lastAt, sale.isEdgeOn),
  };
  const delivered = random.below(COURIER_ONE_OF) > 0 ? plan : withSteps(plan, deliveryOf(random, lastAt));
  const sent = random.below(LANES_ONE_OF) > 0 ? delivered : withSteps(delivered, lanesOf(random, lastAt));
  const erased = random.below(ERASURES_ONE_OF) > 0 ? sent : withSteps(sent, { steps: erasuresOf(random, sent.steps, lastAt) });
  return random.below(RESTORES_ONE_OF) > 0 ? erased : withSteps(erased, { steps: restoresOf(random, drawn, lastAt) });
}

function withSteps(plan: Plan, { steps, ...more }: Partial<Plan>): Plan {
  return { ...plan, ...more, steps: [...(steps ?? []), ...plan.steps].sort((a, b) => a.at - b.at) };
}

/** Adds faults: some to most histories, many to a few. */
function withFaults(random: Random, asks: readonly AskStep[], lastAt: number, isEdgeOn: boolean): Step[] {
  const count = random.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 3]);
  const faults = Array.from({ length: count }, () => faultStep(random, asks, lastAt, isEdgeOn));
  if (isEdgeOn && random.below(4) === 0) faults.push(clockStep(random, lastAt));
  // The sort is stable: a fault comes before the requests of its instant.
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

/** Draws a fault that is armed when some request reaches the object, or when its hold expires. */
function breakStep(random: Random, asks: readonly AskStep[], isEdgeOn: boolean): BreakStep {
  const { at, ask, faultPlans } = aimOf(random, asks);
  const arrivesAt = at + (faultPlans[0]?.toMs ?? 0);
  const isOfAlarm = ask.kind === "hold" && random.below(2) === 0;
  return {
    is: "break",
    // The batch of a message may follow a millisecond later.
    at: isOfAlarm ? arrivesAt + ask.ttlMs : arrivesAt + (random.below(4) === 0 ? 1 : 0),
    skip: random.below(6) === 0 ? random.below(24) : random.below(10),
    how: random.below(2) === 0 ? "throw" : "crash",
    ...end(random, isEdgeOn),
  };
}

/**
 * Draws the request that a fault is for. Claims are many, and a coupon needs its creation, so most faults are
 * for other requests.
 */
function aimOf(random: Random, asks: readonly AskStep[]): AskStep {
  const first = random.pick(asks);
  return first.ask.kind === "create" || (first.ask.kind === "claim" && random.below(2) === 0) ? random.pick(asks) : first;
}

function restartStep(random: Random, lastAt: number, isEdgeOn: boolean): RestartStep {
  return { is: "restart", at: random.below(lastAt + 8), ...end(random, isEdgeOn) };
}

/**
 * Draws the end of an instance. Certificates allow for small differences of clocks, so clocks differ little
 * while they are on.
 */
function end(random: Random, isEdgeOn: boolean): { isLossy: boolean; skewMs: number | null; mark: FaultPlan["mark"] } {
  const { below, pick } = random;
  const skewMs = below(2) === 0 ? null : isEdgeOn ? below(46) - 20 : below(4) === 0 ? pick([-5_000, 5_000]) : below(61) - 30;
  return { isLossy: below(2) === 0, skewMs, mark: pick(["reset", "reset", "retryable", "unmarked"]) };
}
