// Draws backups of a coupon, and restores of them after its deletion.

import type { Random } from "../random.ts";
import type { Asks } from "./asks.ts";
import type { Ask, AskStep, BreakStep, FaultPlan, Step } from "./plan.ts";

const STEP: Omit<AskStep, "at" | "ask"> = {
  is: "ask",
  client: 0,
  isolate: 0,
  faultPlans: [],
  patience: 1,
  patienceMs: 10,
  leavesMs: null,
};
const FAULT: FaultPlan = { is: "delivered", toMs: 1, backMs: 1, mark: "reset", duplicateMs: null };

/** How long the deletion of a coupon can wait for a lease. */
const REMOVAL_MS = 1_300;

/** Draws the backups and restores of a history. The sale goes on after them. `lastAt` is when its last request is. */
export function restoresOf(random: Random, asks: Asks, lastAt: number): Step[] {
  const { below, pick } = random;
  const ask = (at: number, asked: Ask): AskStep => ({ ...STEP, at, ask: asked, faultPlans: faultsOf(random) });
  const backups = Array.from({ length: 1 + below(2) }, () => ask(below(lastAt + 10), { kind: "backup" }));
  const removedAt = lastAt + pick([5, 50, 3_000]);
  const of = pick([1, 1, 2, 3, 4]);
  const beginsAt = removedAt + pick([0, 20, REMOVAL_MS, REMOVAL_MS]);
  const parts = Array.from({ length: of }, (_, index) => ask(beginsAt + 20 * index + below(30), { kind: "restore", part: index + 1, of }));
  const repeated = parts.filter(() => below(3) === 0).map((step): AskStep => Object.assign({}, step, { at: step.at + below(60) }));
  const endsAt = beginsAt + 20 * of + 30;
  const more = asks.more(endsAt + below(40), 2 + below(8), pick([2, 40, 400]));
  // Holds of the backup expire meanwhile.
  const hold = ask(below(lastAt + 1), { kind: "hold", userId: "ann", ttlMs: pick([1_000, 3_000, 60_000]) });
  const end = { isLossy: below(2) === 0, skewMs: null, mark: "reset" } as const;
  const fault: BreakStep = {
    is: "break",
    at: beginsAt + below(20 * of),
    skip: below(below(2) === 0 ? 12 : 60),
    how: pick(["throw", "crash"]),
    ...end,
  };
  const faultOfBackup: BreakStep = { ...fault, at: backups[0]?.at ?? 0, skip: below(8) };
  return [
    ...backups,
    ...(below(2) === 0 ? [hold] : []),
    ask(removedAt, { kind: "remove" }),
    ...parts,
    ...repeated,
    ...more,
    ...(below(3) === 0 ? [fault] : []),
    ...(below(6) === 0 ? [faultOfBackup] : []),
  ];
}

function faultsOf({ below, pick }: Random): FaultPlan[] {
  if (below(8) > 0) return [];
  return [{ ...FAULT, is: pick(["answer_lost", "late", "request_lost"]), duplicateMs: null }];
}
