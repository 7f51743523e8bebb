// The numbers of a run.

import type { History } from "../history/history.ts";
import type { Outcome } from "../model/types.ts";
import type { FaultKind } from "./fault-plan.ts";

/** Counts by name. A dot separates a kind from its member: `answers.out_of_stock`. */
export type Totals = Record<string, number>;

/** Outcomes that a run of many histories has to reach. */
const OUTCOMES: readonly Outcome[] = [
  "claimed",
  "replayed",
  "already_claimed",
  "idempotency_key_reused",
  "out_of_stock",
  "sale_paused",
  "sale_ended",
  "sale_not_started",
  "held",
  "held_already",
  "given_back",
  "ended",
  "listed",
  "hold_too_long",
  "hold_limit_reached",
  "released",
  "claim_released",
  "changed",
  "amount_below_claimed",
  "removed",
];

/** What a run of many histories has to reach, and this one did not. */
export function unmetIn(totals: Totals): string[] {
  return [...OUTCOMES.map((outcome) => `answers.${outcome}`), "refusals at the edge"].filter((name) => totals[name] === undefined);
}

export function add(totals: Totals, name: string, count = 1): void {
  totals[name] = (totals[name] ?? 0) + count;
}

/** Adds one history and the faults of its requests. */
export function addHistory(totals: Totals, { operations, events }: History, faults: readonly FaultKind[]): void {
  add(totals, "histories");
  add(totals, "operations", operations.length);
  for (const { answer } of operations) {
    add(totals, `answers.${answer?.is ?? "unknown"}`);
    if (answer?.servedByEdge === true) add(totals, "refusals at the edge");
  }
  for (const { kind } of events) add(totals, `events.${kind}`);
  for (const fault of faults) add(totals, `requests.${fault}`);
}

/**
 * The lines at the end of a run. Without a wrong history, they bound the true rate by the rule of three, at
 * 95 %.
 */
export function linesOf(totals: Totals, wrongCount: number): string[] {
  const histories = totals["histories"] ?? 0;
  const names = Object.keys(totals).toSorted();
  return [
    ...names.map((name) => `${name.padEnd(32)} ${grouped(totals[name] ?? 0).padStart(9)}`),
    wrongCount === 0
      ? `✓ 0 of ${grouped(histories)} histories are wrong: the true rate is below ${(3 / histories).toExponential(1)} (3/N, at 95 %)`
      : `✗ ${grouped(wrongCount)} of ${grouped(histories)} histories are wrong`,
  ];
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
