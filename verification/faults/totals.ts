// The numbers of a run, and the lines that log them.

import type { EventKind, Outcome } from "../model/types.ts";
import type { History } from "../history/history.ts";
import { FAULTS, type FaultPlan } from "./fault-plan.ts";

export type Totals = {
  histories: number;
  operations: number;
  /** Operations of which nobody heard whether they happened. */
  unknown: number;
  /** Operations that certainly never reached the server. */
  undelivered: number;
  /** Refusals on the strength of a certificate. */
  atEdge: number;
  kills: number;
  aborts: number;
  evictions: number;
  readonly faultPlans: Record<FaultPlan["is"], number>;
  readonly outcomes: Partial<Record<Outcome | "unknown", number>>;
  readonly events: Partial<Record<EventKind, number>>;
};

/** What a run of many histories has to meet: a rule that was never asked for was not tested. */
const TO_MEET: readonly Outcome[] = [
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

/** What of it was not met. */
export function unmetIn({ outcomes, atEdge }: Totals): string[] {
  const unmet: string[] = TO_MEET.filter((outcome) => outcomes[outcome] === undefined);
  return atEdge === 0 ? [...unmet, "a refusal at the edge"] : unmet;
}

/** Totals of nothing. */
export function nothing(): Totals {
  const faultPlans = Object.fromEntries(FAULTS.map((faultPlan) => [faultPlan, 0])) as Record<FaultPlan["is"], number>;
  const counts = { histories: 0, operations: 0, unknown: 0, undelivered: 0, atEdge: 0, kills: 0, aborts: 0, evictions: 0 };
  return { ...counts, faultPlans, outcomes: {}, events: {} };
}

/** Counts one history and what the network did to its requests. */
export function count(totals: Totals, { operations, events }: History, faultPlans: readonly FaultPlan["is"][]): void {
  totals.histories += 1;
  totals.operations += operations.length;
  for (const { answer } of operations) {
    const outcome = answer?.is ?? "unknown";
    totals.outcomes[outcome] = (totals.outcomes[outcome] ?? 0) + 1;
    if (answer === null) totals.unknown += 1;
    if (answer?.is === "undelivered") totals.undelivered += 1;
    if (answer?.servedByEdge === true) totals.atEdge += 1;
  }
  for (const { kind } of events) totals.events[kind] = (totals.events[kind] ?? 0) + 1;
  for (const faultPlan of faultPlans) totals.faultPlans[faultPlan] += 1;
}

/** What a run has met, and, where no history was wrong, what that says of the true rate (rule of three, at 95 %). */
export function linesOf(totals: Totals, wrongCount: number): string[] {
  const { histories, kills, aborts, evictions, faultPlans } = totals;
  const harmed = FAULTS.filter((faultPlan) => faultPlan !== "passes").map(
    (faultPlan) => `${grouped(faultPlans[faultPlan])} ${faultPlan.replaceAll("_", " ")}`,
  );
  return [
    row("histories", histories),
    row("operations", totals.operations),
    row("  of unknown outcome", totals.unknown),
    row("  that never reached the server", totals.undelivered),
    row("  refused at the edge", totals.atEdge),
    row(
      "events in the ledgers",
      Object.values(totals.events).reduce((sum, of) => sum + of, 0),
    ),
    row("kills of the server", kills),
    row("aborts of an object", aborts),
    row("evictions of an object", evictions),
    `requests harmed by the network: ${harmed.join(", ")}`,
    `answers: ${counted(totals.outcomes)}`,
    wrongCount === 0
      ? `✓ 0 of ${grouped(histories)} histories are wrong: the true rate is below ${(3 / histories).toExponential(1)} (3/N, at 95 %)`
      : `✗ ${grouped(wrongCount)} of ${grouped(histories)} histories are wrong`,
  ];
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, value]) => `${grouped(value)} ${name}`)
    .join(", ");
}

function row(label: string, value: number): string {
  return `${label.padEnd(32)} ${grouped(value).padStart(9)}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
