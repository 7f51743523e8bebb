// A second checker, for small histories. It tries every order in which the operations can take effect (Wing
// and Gong, "Testing and verifying concurrent objects", 1993), and does not use the seq of an answer to place
// it.

import { follow, type Coupon } from "../model/coupon.ts";
import { isCertifiable, judge, judgeAtEdge, type Verdict } from "../model/judge.ts";
import type { Answer, Facts, LedgerEvent } from "../model/types.ts";
import { isWithoutEffect, type History, type Operation } from "./history.ts";

/** A state of the search: the operations that are done, the events that are explained, and the coupon. */
type Point = {
  /** One bit for each operation that is done. */
  readonly done: number;
  readonly answered: number;
  readonly at: number;
  readonly incarnation: number;
  readonly seq: number;
  readonly coupon: Coupon | null;
};

/**
 * Whether some order of the operations, at instants at which they ran, gives every answer with its seq and
 * writes the ledger. It takes histories of the object on a steady clock, with at most 30 operations.
 */
export function isExplainable(history: History): boolean {
  const dead = new Set<string>();
  const start = { done: 0, answered: 0, at: -Infinity, incarnation: 0, seq: 0, coupon: null };
  return search(history, start, dead);
}

function search(history: History, point: Point, dead: Set<string>): boolean {
  if (isEnd(history, point)) return true;
  const name = `${point.done} ${point.answered} ${point.at} ${holders(point.coupon)}`;
  if (dead.has(name)) return false;
  for (const next of nextPoints(history, point)) if (search(history, next, dead)) return true;
  dead.add(name);
  return false;
}

/** All answers are given, and all events are explained. */
function isEnd({ operations, events }: History, { done, answered }: Point): boolean {
  return answered === events.length && operations.every(({ answer }, index) => (done & (1 << index)) !== 0 || !hadEffect(answer));
}

function hadEffect(answer: Answer | null): boolean {
  return answer !== null && !isWithoutEffect(answer);
}

/** The rest of a state does not say which of several requests made a hold, running or released. */
function holders(coupon: Coupon | null): string {
  if (coupon === null) return "";
  return [...[...coupon.holds].map(([userId, { attempt }]) => `${userId}${attempt}`), "", ...coupon.releasedHolds].join(",");
}

function* nextPoints(history: History, point: Point): Generator<Point> {
  const expired = afterExpiry(history, point);
  if (expired !== null) yield expired;
  for (const [index, operation] of history.operations.entries()) {
    if (
      (point.done & (1 << index)) !== 0 ||
      (operation.answer !== null && isWithoutEffect(operation.answer)) ||
      !mayBeNext(history, point, operation)
    )
      continue;
    yield* afterOperation(history, point, operation, point.done | (1 << index));
  }
}

/** No operation that is still to come ended before this one began. */
function mayBeNext({ operations }: History, { done }: Point, { startedAt }: Operation): boolean {
  return operations.every(
    ({ answer, endedAt }, index) => (done & (1 << index)) !== 0 || !hadEffect(answer) || endedAt === null || endedAt >= startedAt,
  );
}

function afterExpiry({ events }: History, point: Point): Point | null {
  const event = events[point.answered];
  const held = event?.kind === "expired" ? point.coupon?.holds.get(event.userId ?? "") : undefined;
  if (event === undefined || held === undefined || event.at < Math.max(point.at, held.expiresAt) || event.seq !== point.seq + 1)
    return null;
  if (held.expiresAt !== point.coupon?.nextExpiryAt) return null;
  return after(point, event, point.done, null);
}

function* afterOperation({ events }: History, point: Point, operation: Operation, done: number): Generator<Point> {
  const { call, attempt, answer } = operation;
  const from = Math.max(point.at, operation.clockFrom);
  // The object removes an expired hold before it judges a message, except for the deletion of the coupon.
  const isAtEdge = answer?.servedByEdge === true;
  const nextExpiryAt = call.kind === "remove" || isAtEdge ? Infinity : (point.coupon?.nextExpiryAt ?? Infinity);
  const until = Math.min((answer === null ? null : operation.clockUntil) ?? Infinity, nextExpiryAt - 1);
  const event = events[point.answered];
  // An event has its instant. Any other answer is judged as early as it allows.
  const ends = isAtEdge ? [...(point.coupon?.holds.values() ?? [])].map(({ expiresAt }) => expiresAt) : [];
  const instants = [from, point.coupon?.settings.startsAt, point.coupon?.settings.endsAt, event?.at, ...ends];
  const open = instants.filter((at) => at !== undefined && at !== null && at >= from && at <= until) as number[];
  for (const at of open.toSorted((a, b) => a - b)) {
    const verdict = (isAtEdge ? judgeAtEdge : judge)(point.coupon, call, attempt, at);
    if (verdict.isEvent !== true) {
      if (answer === null || !isTraced(answer, verdict, point)) continue;
      yield { ...point, done, at };
      return;
    }
    if (event === undefined || event.at !== at) continue;
    const next = call.kind === "end_holds" ? afterHolds(events, point, at, done) : afterEvent(point, event, verdict, operation, done);
    if (next !== null && (answer === null || isTraced(answer, verdict, next))) yield next;
  }
}

function afterEvent(point: Point, event: LedgerEvent, verdict: Verdict, operation: Operation, done: number): Point | null {
  return isEventOf(event, verdict, operation, point) ? after(point, event, done, operation) : null;
}

/** All holds end at one instant, by user id. */
function afterHolds(events: readonly LedgerEvent[], point: Point, at: number, done: number): Point | null {
  let next = point;
  for (const userId of [...(point.coupon?.holds.keys() ?? [])].toSorted()) {
    const event = events[next.answered];
    if (event?.kind !== "given_back" || event.userId !== userId || event.at !== at || event.seq !== next.seq + 1) return null;
    next = after(next, event, done, null);
  }
  return next;
}

function after(point: Point, event: LedgerEvent, done: number, operation: Operation | null): Point {
  const key = operation?.call.kind === "claim" ? operation.call.key : null;
  const coupon = follow(structuredClone(point.coupon), event, event.attempt ?? operation?.attempt ?? null, key);
  const incarnation = event.kind === "created" ? point.incarnation + 1 : point.incarnation;
  return { done, answered: point.answered + 1, at: event.at, incarnation, seq: event.seq, coupon };
}

function isEventOf(event: LedgerEvent, verdict: Verdict, { call, attempt }: Operation, { seq }: Point): boolean {
  const { is, position = null, expiresAt } = verdict;
  if (event.kind !== is || event.seq !== (is === "removed" ? 0 : is === "created" ? 1 : seq + 1)) return false;
  if (event.userId !== ("userId" in call ? call.userId : null)) return false;
  if (call.kind === "claim" && event.key !== undefined && event.key !== call.key) return false;
  if (event.attempt !== undefined && attempt !== null && event.attempt !== attempt) return false;
  if (is === "claimed" || is === "released") return event.position === position;
  if (is === "held") return event.expiresAt === expiresAt;
  return event.settings === undefined || areSaid(event.settings, verdict);
}

function isTraced({ is, seq, incarnation, at: _at, servedByEdge, ...facts }: Answer, verdict: Verdict, point: Point): boolean {
  const isHead = servedByEdge === true ? isCertifiable(is) && seq >= 1 && seq <= point.seq : seq === point.seq;
  return is === verdict.is && isHead && (incarnation === undefined || incarnation === point.incarnation) && areSaid(facts, verdict);
}

/** Whether all of these facts are right. */
function areSaid(facts: Facts, due: Facts): boolean {
  for (const [fact, value] of Object.entries(facts)) {
    const right = due[fact as keyof Facts];
    if (value !== right && !(Array.isArray(value) && Array.isArray(right) && value.join("\n") === right.join("\n"))) return false;
  }
  return true;
}
