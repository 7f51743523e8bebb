// Draws what couriers meet.

import { WEBHOOK_EVENTS } from "../../src/domain/webhook-events.ts";
import type { Random } from "../random.ts";
import type { BreakStep, CourierStep, DeliveryPlan, ReceiverPlan, Step } from "./plan.ts";

/** The time in which calls fail after the last request, in milliseconds. It includes retries and alarms. */
const FAULTS_MS = [0, 2_000, 100_000];

export function deliveryOf({ below, pick }: Random, lastAt: number): { readonly delivery: DeliveryPlan; readonly steps: Step[] } {
  const receiver = (): ReceiverPlan => ({
    is: pick(["good", "good", "good", "good", "good", "good", "down", "gone"]),
    goneAfter: below(4),
    events: below(3) > 0 ? WEBHOOK_EVENTS : WEBHOOK_EVENTS.filter(() => below(2) === 0),
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
  const breakStep: BreakStep = {
    is: "break",
    at: below(lastAt + 1_200),
    skip: below(12),
    how: below(2) === 0 ? "throw" : "crash",
    isLossy: below(2) === 0,
    skewMs: null,
    mark: "reset",
  };
  const steps = Array.from({ length: pick([0, 1, 1, 2, 3]) }, step);
  return { delivery, steps: below(2) === 0 ? steps : [breakStep, ...steps] };
}
