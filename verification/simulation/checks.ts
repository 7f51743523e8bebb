// Checks a history at its end: all answers against all tables.

import { historyText } from "../history/history-text.ts";
import type { History } from "../history/history.ts";
import { violationIn } from "../history/linearizable.ts";
import { Pseudonyms } from "../model/pseudonym.ts";
import type { LedgerEvent } from "../model/types.ts";
import type { Breach, Context } from "./context.ts";
import { checkDelivery, type Incarnation } from "./delivery-checks.ts";
import type { HistoryRun } from "./history-run.ts";
import { named, namedAnswer, namesOf } from "./names.ts";
import type { Recorded } from "./network.ts";
import { markedEvents, restoredFault, restoredIn } from "./restored.ts";
import type { Removal } from "./storage.ts";
import { replayTables } from "./tables.ts";
import { timeFault } from "./time-check.ts";

/** Checks a history that has come to its end. */
export function check(context: Context, historyRun: HistoryRun): void {
  const names = namesOf(context.storage, historyRun.platform.delivered);
  const incarnations = readIncarnations(context, historyRun, names);
  const events = incarnations.flatMap((one) => one.events);
  const object = violationIn(historyOf(historyRun, events, "object", names));
  if (object !== null) context.breach("object", object.what);
  const client = violationIn(historyOf(historyRun, events, "client", names));
  if (client !== null) context.breach("client", client.what);
  checkFailures(context, historyRun);
  const { isSteady } = historyRun.platform.clock;
  const time = isSteady ? null : timeFault(historyRun.platform.judged, events);
  if (time !== null) context.breach("time", time);
  const { storage } = context;
  if (storage.incarnation < storage.incarnations.length && storage.alarmAt !== null && !storage.isRestoring)
    context.breach("empty", "an alarm is set where there is no coupon");
  for (const { kind, restored } of events) context.count(restored === undefined ? `event.${kind}` : `restored.${kind}`);
  for (const one of incarnations) {
    countErasures(context, one.events);
    if (one.restored !== null && one.events.length > one.restored.seq) context.count("restored.goesOn");
  }
  context.count("erased.departed", storage.pseudonyms.size);
  // A commit without its alarm is a state that only the simulation can make.
  if (historyRun.delivery !== null && !storage.isAlarmOwed)
    checkDelivery(context, historyRun.delivery, incarnations, (text) => named(text, names, storage.pseudonyms));
}

/** Counts what erasures met. */
function countErasures({ count }: Context, events: readonly LedgerEvent[]): void {
  const erased = new Set<string | null>();
  for (const { kind, userId, erasedSeqs = [], alias } of events) {
    if (alias !== undefined) count("erased.later");
    if (kind !== "erased") continue;
    if (erased.has(userId)) count("erased.again");
    erased.add(userId);
    for (const seq of erasedSeqs) {
      count(`erased.${events[seq - 1]?.kind ?? "nothing"}`);
      if (typeof events[seq - 1]?.key === "string") count("erased.key");
    }
  }
}

/** The history of a breach as text. */
export function recordedHistory(context: Context, historyRun: HistoryRun, { rule }: Breach): string {
  const names = namesOf(context.storage, historyRun.platform.delivered);
  const events = readIncarnations(context, historyRun, names).flatMap((one) => one.events);
  const history = historyOf(historyRun, events, rule === "client" ? "client" : "object", names);
  return history.operations.length === 0 ? "" : historyText(history, violationIn(history));
}

/** Returns all incarnations with their ledgers, and checks their tables. */
function readIncarnations(
  { storage, breach, digest }: Context,
  { extraAnswers: all, platform }: HistoryRun,
  names: readonly Pseudonyms[],
): Incarnation[] {
  const incarnations: Incarnation[] = [];
  for (const [index, database] of storage.incarnations.entries()) {
    const extraAnswers = all.filter((one) => one.incarnation === index + 1);
    const holderOf = (seq: number, userId: string): string | undefined => platform.holders.get(`${index + 1} ${seq} ${userId}`);
    const { events, fault } = replayTables(database, extraAnswers, holderOf, names[index] ?? new Pseudonyms(null));
    if (fault !== null) breach("tables", fault);
    const restored = restoredIn(database);
    const ledger = [...markedEvents(events, restored)];
    const source = incarnations.find((one) => one.epoch === restored?.epoch);
    const wrong = restored === null ? null : restoredFault(events, source?.events ?? [], restored);
    if (wrong !== null) breach("restore", wrong);
    const [row] = database.isDefined ? database.rows("SELECT epoch FROM coupon") : [];
    if (row !== undefined) incarnations.push({ database, events: ledger, epoch: String(row["epoch"]), restored });
    for (const event of events) {
      digest.add(event.at);
      digest.add(event.position ?? 0);
    }
    const end = storage.ends[index];
    if (end === undefined) continue;
    const next = storage.incarnations[index + 1];
    const isCreated = next?.isDefined === true && restoredIn(next) === null;
    const begunAt = isCreated ? Number(next.rows("SELECT min(at) AS at FROM ledger")[0]?.["at"]) : Infinity;
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

function historyOf(
  { platform, clients }: HistoryRun,
  events: readonly LedgerEvent[],
  seenFrom: History["seenFrom"],
  names: readonly Pseudonyms[],
): History {
  const { ends, clock } = platform;
  const seen = seenFrom === "object" ? platform.delivered : clients.byTheObjectsClock(clock.skewMsMin, clock.skewMsMax);
  const operations = seen.map((operation) => {
    const { answer } = operation;
    if (answer?.claimants === undefined && answer?.holders === undefined) return operation;
    return Object.assign({}, operation, { answer: namedAnswer(answer, names[(answer.incarnation ?? 1) - 1]) });
  });
  return { events, operations: ends.length === 0 ? operations : [...operations, ...ends], seenFrom, isClockSteady: clock.isSteady };
}
