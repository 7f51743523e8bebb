// A second way to log whether a history is right, for small ones: tries every order in which the operations can have taken
// effect (Wing and Gong, "Testing and verifying concurrent objects", 1993), and takes no answer's word for where it stands.

import { follow, type Coupon } from "../model/coupon.ts";
import type { Answer, Facts, LedgerEvent } from "../model/types.ts";
import { isWithoutEffect, type History, type Operation } from "./history.ts";
import { isCertifiable, judge, judgeAtEdge, type Verdict } from "../model/judge.ts";

/** Where a search stands: what has taken effect, how far the ledger was answered, and the coupon at that instant. */
type Point = {
  /** One bit for each operation that is behind. */
  readonly done: number;
  readonly answered: number;
  readonly at: number;
  readonly incarnation: number;
  readonly seq: number;
  readonly coupon: Coupon | null;
};

/**
 * Whether some order of the operations, at instants at which they ran, gives every answer as it was answered, its seq too, and
 * writes the ledger as it is. Takes histories of a steady clock, seen from the object, with at most 30 operations.
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

/** All that was answered has happened, and all that happened is answered. */
function isEnd({ operations, events }: History, { done, answered }: Point): boolean {
  return answered === events.length && operations.every(({ answer }, index) => (done & (1 << index)) !== 0 || !hadEffect(answer));
}

function hadEffect(answer: Answer | null): boolean {
  return answer !== null && !isWithoutEffect(answer);
}

/** What the rest of a point does not log: which of several requests made a hold, also one that is released. */
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

/** Nothing that is still to come had its answer before this one began. */
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
  // A hold that is over is given up before anything else, unless the coupon itself goes, or its object is not asked.
  const isAtEdge = answer?.servedByEdge === true;
  const nextExpiryAt = call.kind === "remove" || isAtEdge ? Infinity : (point.coupon?.nextExpiryAt ?? Infinity);
  const until = Math.min((answer === null ? null : operation.clockUntil) ?? Infinity, nextExpiryAt - 1);
  const event = events[point.answered];
  // An event has its instant. Anything else is best judged as early as its answer allows.
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

/** All holds are ended at one instant, by user. */
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
  const coupon = follow(copyOf(point.coupon), event, event.attempt ?? operation?.attempt ?? null, key);
  const incarnation = event.kind === "created" ? point.incarnation + 1 : point.incarnation;
  return { done, answered: point.answered + 1, at: event.at, incarnation, seq: event.seq, coupon };
}

function copyOf(coupon: Coupon | null): Coupon | null {
  if (coupon === null) return null;
  const { claims, keyOwners, holds, releases, releasedHolds } = coupon;
  const copied = { claims: new Map(claims), keyOwners: new Map(keyOwners), holds: new Map(holds), releases: [...releases] };
  return { ...coupon, ...copied, releasedHolds: new Set(releasedHolds) };
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

/** Whether each of these facts is as it has to be. */
function areSaid(facts: Facts, due: Facts): boolean {
  for (const [fact, value] of Object.entries(facts)) {
    const right = due[fact as keyof Facts];
    if (value !== right && !(Array.isArray(value) && Array.isArray(right) && value.join("\n") === right.join("\n"))) return false;
  }
  return true;
}
