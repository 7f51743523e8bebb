// Checks that the coupon's time never goes back: a sale that was answered as started or ended stays so.

import type { Answer, LedgerEvent } from "../model/types.ts";
import type { Recorded } from "./network.ts";

const BEFORE = 0;
const WITHIN = 1;
const AFTER = 2;
const NAMES = ["before its begin", "open", "over"];

/**
 * Checks the object's answers, event by event in their order. Within an event the order is unknown. Between two changes
 * of a coupon, its sale only goes forward. Returns a sentence, or null.
 */
export function timeFault(judged: readonly (readonly Recorded[])[], events: readonly LedgerEvent[]): string | null {
  const changes = changesOf(events);
  const phases = new Map<string, number>();
  for (const together of judged) {
    const reached = new Map<string, number>();
    for (const { answer } of together) {
      const phase = answer === null ? null : phaseIn(answer);
      if (answer === null || phase === null) continue;
      const { incarnation = 0, seq } = answer;
      const changeCount = changes[incarnation]?.filter((at) => at <= seq).length ?? 0;
      const coupon = `${incarnation} ${changeCount}`;
      const before = phases.get(coupon) ?? phase;
      if (phase < before) return `the sale was answered to be ${NAMES[before] ?? ""}, and then, at seq ${seq}, to be ${NAMES[phase] ?? ""}`;
      reached.set(coupon, Math.max(phase, reached.get(coupon) ?? phase));
    }
    for (const [coupon, phase] of reached) phases.set(coupon, phase);
  }
  return null;
}

/** By incarnation: the heads of its changes, and of its archive. */
function changesOf(events: readonly LedgerEvent[]): number[][] {
  const changes: number[][] = [];
  let incarnation = 0;
  for (const { kind, seq } of events) {
    if (kind === "created") incarnation += 1;
    if (kind === "changed" || kind === "archived") (changes[incarnation] ??= []).push(seq);
  }
  return changes;
}

/** The phase of the sale in an answer; null if it shows none. */
function phaseIn({ is, state }: Answer): number | null {
  if (is === "sale_not_started" || state === "scheduled") return BEFORE;
  if (is === "sale_ended" || state === "ended" || state === "archived") return AFTER;
  return state !== undefined || is === "sale_paused" || is === "out_of_stock" ? WITHIN : null;
}
