// Draws erasures of users, and the requests that meet them.

import type { Random } from "../random.ts";
import type { Ask, AskStep, BreakStep, FaultPlan, Step } from "./plan.ts";
import { USERS } from "./sales.ts";

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

/** Draws the erasures of a history, whose requests are `steps`. `lastAt` is the instant of the last one. */
export function erasuresOf(random: Random, steps: readonly Step[], lastAt: number): Step[] {
  const asks = steps.filter((step) => step.is === "ask").filter(({ ask: { kind } }) => kind === "claim" || kind === "hold");
  if (asks.length === 0) return [];
  return Array.from({ length: random.pick([1, 1, 2, 3]) }, () => erasure(random, random.pick(asks), lastAt)).flat();
}

/** Draws one erasure: soon after a request of its user, or later. The same request follows, and others of that user. */
function erasure({ below, pick }: Random, { ask, at: askedAt, isolate }: AskStep, lastAt: number): Step[] {
  if (ask.kind !== "claim" && ask.kind !== "hold") return [];
  const { userId } = ask;
  const at = askedAt + below(below(2) === 0 ? 60 : 60 + lastAt);
  const fault = pick<FaultPlan["is"]>(["delivered", "delivered", "answer_lost", "late", "request_lost", "turned_away"]);
  const faultPlans = below(2) === 0 ? [] : [{ ...FAULT, is: fault }];
  const erase = (when: number): AskStep => ({ ...STEP, at: when, isolate, faultPlans, ask: { kind: "erase", userId } });
  const key = ask.kind === "claim" ? ask.key : null;
  const other = pick(USERS);
  const followers: readonly Ask[] = [
    ask,
    { kind: "claim", userId, key },
    { kind: "hold", userId, ttlMs: 1_000 },
    { kind: "release", userId, position: null },
    { kind: "give_back", userId },
    { kind: "own", userId },
    { kind: "claim", userId: other, key },
    { kind: "erase", userId: other },
    { kind: "erase", userId },
    { kind: "holds" },
    { kind: "end_holds" },
    { kind: "page", after: 0, limit: 3 },
    { kind: "remove" },
  ];
  const isBroken = below(4) === 0;
  const end = { isLossy: below(2) === 0, skewMs: null, mark: "reset" } as const;
  const fallen: BreakStep = { is: "break", at: at + 1, skip: below(16), how: pick(["throw", "crash"]), ...end };
  const more = Array.from({ length: 1 + below(4) }, () => ({ ...STEP, at: at + below(pick([10, 40, 2_000])), ask: pick(followers) }));
  return [erase(at), ...more, ...(isBroken ? [fallen] : [])];
}
