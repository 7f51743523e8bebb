// Draws what lanes meet.

import type { Random } from "../random.ts";
import type { AskStep, LanesPlan, LanesStep, RushStep, Step } from "./plan.ts";

const CLAIM: Omit<AskStep, "at"> = {
  is: "ask",
  client: 0,
  isolate: 0,
  ask: { kind: "claim", userId: "ann", key: null },
  faultPlans: [],
  patience: 0,
  patienceMs: 0,
  leavesMs: null,
};

function claimAt(at: number): AskStep {
  return { ...CLAIM, at };
}

/** How long after the last request further claims come: when the coupon is quiet, and when no hint is in use. */
const QUIET_MS = [2_600, 6_000];

/** Draws what the lanes of a history meet, and the steps that follow from it. `lastAt` is the instant of the last request. */
export function lanesOf({ below, pick }: Random, lastAt: number): { readonly lanes: LanesPlan; readonly steps: Step[] } {
  const setting = pick(["auto", "auto", "1", "1", "2"] as const);
  const lanes = { setting, faultPercent: pick([0, 0, 10, 30]), wayMsMax: pick([0, 3, 20]) };
  const rush = (): RushStep => ({ is: "rush", at: below((lastAt >> 1) + 1), count: pick([400, 400, 900, 5_000]) });
  const end = (): LanesStep => ({ is: "lanes", at: below(lastAt + 30) });
  const rushes = Array.from({ length: 1 + below(2) }, rush);
  const ends = Array.from({ length: pick([0, 0, 1, 2]) }, end);
  return { lanes, steps: [...rushes, ...ends, ...QUIET_MS.map((ms) => claimAt(lastAt + ms))] };
}
