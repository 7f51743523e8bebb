// Checks a history at its end: all answers against all tables.

import { historyText } from "../history/history-text.ts";
import type { History } from "../history/history.ts";
import { violationIn } from "../history/linearizable.ts";
import type { LedgerEvent } from "../model/types.ts";
import type { Breach, Context } from "./context.ts";
import { checkDelivery, type Incarnation } from "./delivery-checks.ts";
import type { HistoryRun } from "./history-run.ts";
import type { Recorded } from "./network.ts";
import type { Removal } from "./storage.ts";
import { replayTables } from "./tables.ts";
import { timeFault } from "./time-check.ts";

/** Checks a history that has come to its end. */
export function check(context: Context, historyRun: HistoryRun): void {
  const incarnations = readIncarnations(context, historyRun);
  const events = incarnations.flatMap((one) => one.events);
  const object = violationIn(historyOf(historyRun, events, "object"));
  if (object !== null) context.breach("object", object.what);
  const client = violationIn(historyOf(historyRun, events, "client"));
  if (client !== null) context.breach("client", client.what);
  checkFailures(context, historyRun);
  const { isSteady } = historyRun.platform.clock;
  const time = isSteady ? null : timeFault(historyRun.platform.judged, events);
  if (time !== null) context.breach("time", time);
  const { storage } = context;
  if (storage.incarnation < storage.incarnations.length && storage.alarmAt !== null)
    context.breach("empty", "an alarm is set where there is no coupon");
  for (const { kind } of events) context.count(`event.${kind}`);
  // A commit without its alarm is a state that only the simulation can make.
  if (historyRun.delivery !== null && !storage.isAlarmOwed) checkDelivery(context, historyRun.delivery, incarnations);
}

/** The history of a breach as text. */
export function recordedHistory(context: Context, historyRun: HistoryRun, { rule }: Breach): string {
  const events = readIncarnations(context, historyRun).flatMap((one) => one.events);
  const history = historyOf(historyRun, events, rule === "client" ? "client" : "object");
  return history.operations.length === 0 ? "" : historyText(history, violationIn(history));
}

/** Returns all incarnations with their ledgers, and checks their tables. */
function readIncarnations({ storage, breach, digest }: Context, { extraAnswers: all, platform }: HistoryRun): Incarnation[] {
  const incarnations: Incarnation[] = [];
  for (const [index, database] of storage.incarnations.entries()) {
    const extraAnswers = all.filter((one) => one.incarnation === index + 1);
    const { events, fault } = replayTables(database, extraAnswers, (seq, userId) => platform.holders.get(`${index + 1} ${seq} ${userId}`));
    if (fault !== null) breach("tables", fault);
    const ledger = [...events];
    if (database.isDefined) incarnations.push({ database, events: ledger });
    for (const event of events) {
      digest.add(event.at);
      digest.add(event.position ?? 0);
    }
    const end = storage.ends[index];
    if (end === undefined) continue;
    const next = storage.incarnations[index + 1];
    const begunAt = next?.isDefined === true ? Number(next.rows("SELECT min(at) AS at FROM ledger")[0]?.["at"]) : Infinity;
    const until = Math.min(end.until, Math.max(end.from, begunAt));
    const at = removedAt({ ...end, until }, index + 1, events.at(-1)?.at ?? 0, platform.delivered);
    ledger.push({ kind: "removed", seq: 0, at, userId: null, position: null });
  }
  return incarnations;
}

/**
 * When the removal of an incarnation was judged: after all answers that found the coupon, and before all
 * others.
 */
function removedAt({ from, until }: Removal, incarnation: number, lastAt: number, delivered: readonly Recorded[]): number {
  const found: number[] = [from, lastAt];
  const notFound: number[] = [until];
  for (const { answer, clockFrom, clockUntil } of delivered) {
    // An answer that may have waited says nothing.
    if (answer === null || answer.is === "unavailable" || clockUntil !== clockFrom || clockFrom < from || clockFrom > until) continue;
    if (answer.incarnation === incarnation && answer.seq > 0) found.push(clockFrom);
    else if (answer.seq === 0 || (answer.incarnation ?? 0) > incarnation) notFound.push(clockFrom);
  }
  return Math.max(...found, Math.min(...notFound));
}

/** Checks that nothing was answered as failed without a fault. */
function checkFailures({ points, breach, plan }: Context, { platform, clients }: HistoryRun): void {
  const { unavailableCount } = platform;
  if (unavailableCount > points.thrownCount)
    breach("failure", `the object answered unavailable ${unavailableCount} times, and storage failed ${points.thrownCount} times`);
  const isCalm =
    (plan.lanes?.faultPercent ?? 0) === 0 &&
    plan.steps.every(
      (step) => step.is === "clock" || step.is === "rush" || (step.is === "ask" && step.faultPlans.every(({ is }) => is === "delivered")),
    );
  const failed = isCalm ? clients.outcomes.find((word) => word === "unavailable" || word === "outcome_unknown") : undefined;
  if (failed !== undefined) breach("failure", `a client was answered ${failed}, and nothing had failed`);
}

function historyOf({ platform, clients }: HistoryRun, events: readonly LedgerEvent[], seenFrom: History["seenFrom"]): History {
  const { ends, clock } = platform;
  const operations = seenFrom === "object" ? platform.delivered : clients.byTheObjectsClock(clock.skewMsMin, clock.skewMsMax);
  return { events, operations: ends.length === 0 ? operations : [...operations, ...ends], seenFrom, isClockSteady: clock.isSteady };
}
