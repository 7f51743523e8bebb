// Draws what couriers meet.

import { WEBHOOK_EVENTS } from "../../src/domain/webhook-events.ts";
import type { Random } from "../random.ts";
import type { AskStep, BreakStep, CourierStep, DeliveryPlan, ReceiverPlan, Step } from "./plan.ts";

/** The time in which calls fail after the last request, in milliseconds. It includes retries and alarms. */
const FAULTS_MS = [0, 2_000, 100_000];

const REMOVE: Omit<AskStep, "at"> = {
  is: "ask",
  client: 0,
  isolate: 0,
  ask: { kind: "remove" },
  faultPlans: [],
  patience: 0,
  patienceMs: 0,
  leavesMs: null,
};

/** Draws what the courier of a history meets, and the steps that follow from it. `lastAt` is the instant of the last request. */
export function deliveryOf({ below, pick }: Random, lastAt: number): { readonly delivery: DeliveryPlan; readonly steps: Step[] } {
  const receiver = (): ReceiverPlan => ({
    is: pick(["good", "good", "good", "good", "good", "good", "down", "gone"]),
    goneAfter: below(4),
    events: below(3) > 0 ? null : WEBHOOK_EVENTS.filter(() => below(2) === 0),
  });
  const delivery = {
    faultPercent: pick([0, 0, 5, 20, 40]),
    faultsUntil: lastAt + pick(FAULTS_MS),
    wayMsMax: pick([0, 3, 100]),
    skewMs: pick([0, 0, -30, 30]),
    receivers: Array.from({ length: below(3) }, receiver),
  };
  const step = (): CourierStep => ({
    is: "courier",
    at: below(lastAt + 1_200),
    what: below(6) === 0 ? "rebuild" : "end",
    skip: below(below(2) === 0 ? 12 : 60),
    isLossy: below(2) === 0,
  });
  const end = { isLossy: below(2) === 0, skewMs: null, mark: "reset" } as const;
  const fault: BreakStep = { is: "break", at: below(lastAt + 1_200), skip: below(12), how: pick(["throw", "crash"]), ...end };
  const steps = Array.from({ length: pick([0, 1, 1, 2, 3]) }, step);
  // An idle coupon has no instance. Then it is deleted.
  const at = lastAt + 2_000;
  const last: Step[] =
    below(3) > 0
      ? []
      : [
          { is: "restart", at, ...end },
          { ...REMOVE, at },
        ];
  return { delivery, steps: [...(below(2) === 0 ? [fault] : []), ...steps, ...last] };
}
