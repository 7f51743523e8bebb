// Decides whether a history is one of a correct coupon: exact, and in time that grows with its length.
// Answers name the ledger's head, so there is one order to try: each event, then all answers with that event
// as the head.

import { follow, type Coupon } from "../model/coupon.ts";
import { differenceIn, isTheEvent } from "../model/difference.ts";
import { isCertifiable, judge, judgeAtEdge, type Verdict } from "../model/judge.ts";
import type { Answer, Call, LedgerEvent } from "../model/types.ts";
import { endingsOf, type Ending, type Endings } from "./endings.ts";
import { isWithoutEffect, type History, type Operation, type Violation } from "./history.ts";
import { Placement } from "./placement.ts";
import { broken, eventText, lastOf, neverRight, NOT_YET } from "./violation.ts";

/**
 * Returns why `history` is no history of a correct coupon, or null if it is one.
 *
 * The reference model follows the ledger. It has to allow every event, and to give every answer at an instant
 * at which its operation ran. No operation stands behind one that began after its end.
 *
 * The ledger has the instant of an event. Any other answer is right if it is right at some instant of the
 * coupon's clock: while its operation ran, not before the event it stands behind, not after the next event, and
 * before the next hold expires. Where the clock was set back, that instant may be as late as any in the history.
 *
 * A request of unknown outcome may have caused one event at any time after it was sent. Behind the Worker, a
 * call that it repeats by itself may have caused two more events before its answer, and a claim granted that way
 * is answered as new. Of several incarnations, an answer that names none stands in the first in which it is right.
 *
 * A refusal at the edge has no exception. It names the head at which its certificate was issued. It stands at
 * the first slot from there on at which it is right while it ran.
 */
export function violationIn(history: History): Violation | null {
  let first: Violation | null = null;
  for (const endings of endingsOf(history)) {
    const violation = new Replay(history, endings).run();
    if (violation === null) return null;
    first ??= violation;
  }
  return first;
}

class Replay {
  readonly #history: History;
  readonly #placement: Placement;
  #coupon: Coupon | null = null;
  #slot = 0;
  /** The operation with the latest start among those before this slot. */
  #lastStarted: Operation | null = null;
  /** The latest instant that a coupon whose clock was set back may still use. */
  readonly #markMax: number;
  readonly #endings: Endings;
  #incarnation = 0;
  /** By instant and user: the attempt that made a hold. */
  readonly #holders = new Map<string, string | null>();
  /** Refusals at the edge without a slot so far, by their start, and why they have none. */
  #waiting: { readonly operation: Operation; difference: string | null }[] = [];
  /** By slot: the first end among the operations that stand there or behind it. */
  readonly #firstEnd: Float64Array;

  constructor(history: History, endings: Endings) {
    this.#history = history;
    this.#endings = endings;
    this.#placement = new Placement(history, endings);
    this.#firstEnd = new Float64Array(history.events.length + 2).fill(Infinity);
    for (const [index, { endedAt }] of history.operations.entries()) this.#endsAt(this.#placement.slotOf(index), endedAt);
    const seen = history.isClockSteady ? [] : history.operations.map(({ clockFrom, clockUntil }) => clockUntil ?? clockFrom);
    this.#markMax = Math.max(-Infinity, ...seen);
  }

  run(): Violation | null {
    const { events, operations } = this.#history;
    for (let index = 0; index < operations.length; index += 1) {
      const answer = operations[index]?.answer ?? null;
      if (answer === null || isWithoutEffect(answer) || this.#placement.slotOf(index) !== -1) continue;
      return broken(`it was answered at seq ${answer.seq}, which the ledger never reached while it ran`, operations[index]);
    }
    for (this.#slot = 0; this.#slot <= events.length; this.#slot += 1) {
      const event = events[this.#slot - 1];
      const violation = (event === undefined ? null : this.#followEvent(event)) ?? this.#checkAnswers();
      if (violation !== null) return violation;
    }
    const [never] = this.#waiting;
    return never === undefined ? null : neverRight(never);
  }

  #endsAt(slot: number, endedAt: number | null): void {
    for (let at = slot; at >= 0 && (this.#firstEnd[at] ?? 0) > (endedAt ?? Infinity); at -= 1) this.#firstEnd[at] = endedAt ?? Infinity;
  }

  /** Follows one event, and checks the answer of its writer. */
  #followEvent(event: LedgerEvent): Violation | null {
    const index = this.#placement.writers[this.#slot] ?? -1;
    const writer = this.#history.operations[index];
    const coupon = this.#coupon;
    if (event.restored !== undefined) return this.#followRestored(event, event.restored, writer);
    const wrong = this.#isWrong(event, writer);
    if (wrong !== null)
      return broken(`event ${eventText(event)}: ${wrong}`, ...(writer === undefined ? this.#placement.suspects(this.#slot) : [writer]));
    const ending = this.#endings.get(index);
    if (event.kind === "created") this.#incarnation += 1;
    if (writer !== undefined && ending !== undefined) {
      const violation = this.#endHold(event, writer, ending);
      if (violation !== null) return violation;
    } else if (writer !== undefined) {
      const verdict = judge(coupon, writer.call, writer.attempt, event.at);
      if (!isTheEvent(verdict, event))
        return broken(`event ${eventText(event)}: what was asked for is to be answered ${verdict.is}`, writer);
      const isAnswered = this.#placement.slotOf(index) === this.#slot;
      const difference = isAnswered && writer.answer !== null ? differenceIn(writer.answer, verdict) : null;
      if (difference !== null) return broken(`at event ${eventText(event)}: ${difference}`, writer);
      const late = isAnswered ? this.#orderFault(writer) : null;
      if (late !== null) return late;
      this.#lastStarted = lastOf(this.#lastStarted, writer);
    }
    const call = writer?.call;
    const key = event.key ?? (call !== undefined && "key" in call ? (call.key ?? null) : null);
    const attempt = event.attempt ?? writer?.attempt ?? null;
    if (event.kind === "held") this.#holders.set(`${event.at} ${event.userId}`, attempt);
    this.#coupon = follow(coupon, event, attempt, key);
    return null;
  }

  /** Follows one event of a backup. They are restored where there is no coupon, at one instant. */
  #followRestored(event: LedgerEvent, { isLast }: { readonly isLast: boolean }, writer: Operation | undefined): Violation | null {
    const before = this.#coupon;
    if ((before === null) !== (event.kind === "created")) return broken(`event ${eventText(event)} is restored, and there is a coupon`);
    if (before === null) this.#incarnation += 1;
    // The request of a hold is that of its source.
    const attempt = event.attempt ?? this.#holders.get(`${event.at} ${event.userId}`) ?? null;
    this.#coupon = follow(before, event, attempt, event.key ?? null);
    if (!isLast) return null;
    if (writer === undefined)
      return broken(`event ${eventText(event)}: no request can have restored it`, ...this.#placement.suspects(this.#slot));
    const late = writer.answer?.is === "restored" ? this.#orderFault(writer) : null;
    this.#lastStarted = lastOf(this.#lastStarted, writer);
    return late;
  }

  /** Follows one event of an end of all holds, which is one instant. */
  #endHold(event: LedgerEvent, writer: Operation, { first, last }: Ending): Violation | null {
    const coupon = this.#coupon;
    if (coupon?.holds.has(event.userId ?? "") !== true) return broken(`event ${eventText(event)}: there was no such hold`, writer);
    if (this.#slot > first) return null;
    const verdict = judge(coupon, writer.call, writer.attempt, event.at);
    if (verdict.count !== last - first + 1) return broken(`event ${eventText(event)}: other holds were not ended with it`, writer);
    const difference = writer.answer === null ? null : differenceIn(writer.answer, verdict);
    if (difference !== null) return broken(`at event ${eventText(event)}: ${difference}`, writer);
    const late = writer.answer === null ? null : this.#orderFault(writer);
    this.#lastStarted = lastOf(this.#lastStarted, writer);
    return late;
  }

  /** Why `event` cannot come now, whatever its writer. */
  #isWrong(event: LedgerEvent, writer: Operation | undefined): string | null {
    const coupon = this.#coupon;
    const { events, isClockSteady } = this.#history;
    const before = events[this.#slot - 2];
    const isFirst = event.kind === "created";
    if (event.kind !== "removed" && event.seq !== (isFirst ? 1 : (before?.seq ?? 0) + 1)) return "the ledger is not dense";
    // A coupon stays at its latest instant when its clock is set back. Its removal and the next creation do
    // not.
    const mayBeBack = !isClockSteady && (event.kind === "removed" || event.kind === "created");
    if (before !== undefined && event.at < before.at && !mayBeBack) return "time went back";
    if (event.kind === "expired") {
      const expiresAt = coupon?.holds.get(event.userId ?? "")?.expiresAt;
      if (expiresAt === undefined) return "there was no such hold";
      if (event.at < expiresAt) return `it ended ${expiresAt - event.at} ms early`;
      return coupon?.nextExpiryAt === expiresAt ? null : "another hold was over before it";
    }
    if (writer === undefined) return "no request can have caused it";
    return coupon !== null && coupon.nextExpiryAt <= event.at && event.kind !== "removed" ? "an expired hold was not removed" : null;
  }

  /** Checks all answers with this slot as the ledger's head. */
  #checkAnswers(): Violation | null {
    const { operations } = this.#history;
    const writer = this.#placement.writers[this.#slot] ?? -1;
    const isHalfway = this.#slot < (this.#endings.get(writer)?.last ?? -1);
    let lastStarted = this.#lastStarted;
    let next = -1;
    for (let index = this.#placement.firstAt(this.#slot); index !== -1; index = next) {
      next = this.#placement.after(index);
      const operation = operations[index];
      if (operation === undefined || operation.answer === null || index === writer) continue;
      if (operation.answer.servedByEdge === true) {
        if (!isCertifiable(operation.answer.is)) return broken(`the Worker may not say ${operation.answer.is} by itself`, operation);
        this.#waiting.push({ operation, difference: null });
        continue;
      }
      const difference = isHalfway ? "some holds were ended, and others were not yet" : this.#answerFault(operation, operation.answer);
      if (difference !== null && this.#placement.moveOn(index)) {
        this.#endsAt(this.#placement.slotOf(index), operation.endedAt);
        continue;
      }
      if (difference !== null) return broken(`at seq ${operation.answer.seq}: ${difference}`, operation);
      const late = this.#orderFault(operation);
      if (late !== null) return late;
      lastStarted = lastOf(lastStarted, operation);
    }
    return isHalfway ? null : this.#checkEdge(lastStarted);
  }

  /**
   * Finds the refusals at the edge that stand at this slot: an early slot lets fewer others contradict it.
   */
  #checkEdge(lastStartedOfObject: Operation | null): Violation | null {
    let lastStarted = lastStartedOfObject;
    let firstEnd = this.#firstEnd[this.#slot + 1] ?? Infinity;
    const waiting = this.#waiting.toSorted((a, b) => a.operation.startedAt - b.operation.startedAt);
    this.#waiting = [];
    for (const one of waiting) {
      const { operation } = one;
      const difference = operation.startedAt > firstEnd ? NOT_YET : this.#atEdge(operation);
      if (difference === null) {
        const late = this.#orderFault(operation);
        if (late !== null) return late;
        lastStarted = lastOf(lastStarted, operation);
        continue;
      }
      if (one.difference === null && difference !== NOT_YET) one.difference = difference;
      if (this.#isOver(operation)) return neverRight(one);
      firstEnd = Math.min(firstEnd, operation.endedAt ?? Infinity);
      this.#waiting.push(one);
    }
    this.#lastStarted = lastStarted;
    return null;
  }

  /** Checks a refusal by a certificate that may be older than this slot. */
  #atEdge(operation: Operation): string | null {
    const { answer } = operation;
    const seq = this.#coupon === null ? 0 : (this.#history.events[this.#slot - 1]?.seq ?? 0);
    if (
      answer === null ||
      answer.seq < 1 ||
      answer.seq > seq ||
      (answer.incarnation !== undefined && answer.incarnation !== this.#incarnation)
    )
      return NOT_YET;
    return this.#answerFault(operation, answer);
  }

  /** Whether the next event came after the end of the operation. */
  #isOver({ clockUntil }: Operation): boolean {
    const { events, isClockSteady } = this.#history;
    return isClockSteady && (events[this.#slot]?.at ?? -Infinity) > (clockUntil ?? Infinity);
  }

  /**
   * How an answer differs from the right one at every instant of its operation; null if it is right at one.
   */
  #answerFault({ call, attempt, clockFrom, clockUntil }: Operation, answer: Answer): string | null {
    const until = Math.max(clockUntil ?? Infinity, this.#markMax);
    return this.#differs(answer, clockFrom, until, call, attempt);
  }

  #differs(answer: Answer, from: number, until: number, call: Call, attempt: string | null): string | null {
    const coupon = this.#coupon;
    const { events, isClockSteady } = this.#history;
    const low = Math.max(from, coupon?.at ?? events[this.#slot - 1]?.at ?? -Infinity, answer.at ?? -Infinity);
    const next = events[this.#slot];
    const nextAt = isClockSteady && next?.restored === undefined ? (next?.at ?? Infinity) : Infinity;
    const isAtEdge = answer.servedByEdge === true;
    // When a hold expires, the object moves the head. An isolate need not know.
    // A repeated restore does not look at holds.
    const expiresAt = isAtEdge || call.kind === "restore" ? Infinity : (coupon?.nextExpiryAt ?? Infinity);
    const high = Math.min(until, nextAt, expiresAt - 1, answer.at ?? Infinity);
    if (low > high) return `it was answered ${answer.is}, but there is no instant at which the ledger stood there and it ran`;
    const difference = this.#differsAt(low, answer, call, attempt);
    if (difference === null || coupon === null) return difference;
    // Between two events, only the sale window changes an answer, and at the edge the expiry of a hold.
    const { startsAt, endsAt } = coupon.settings;
    const instants = [startsAt, endsAt, ...(isAtEdge ? [...coupon.holds.values()].map((held) => held.expiresAt) : [])];
    const isRightLater = instants.some(
      (at) => at !== null && at > low && at <= high && this.#differsAt(at, answer, call, attempt) === null,
    );
    return isRightLater ? null : difference;
  }

  #differsAt(at: number, answer: Answer, call: Call, attempt: string | null): string | null {
    const verdict = (answer.servedByEdge === true ? judgeAtEdge : judge)(this.#coupon, call, attempt, at);
    if (verdict.isEvent === true && verdict.is === answer.is) return `it was answered ${answer.is}, and the ledger has no such event of it`;
    return differenceIn(answer, this.#unhidden(verdict, attempt));
  }

  /** To a client, a claim that an earlier delivery of the same request got is no replay. */
  #unhidden(verdict: Verdict, attempt: string | null): Verdict {
    if (verdict.is !== "replayed" || attempt === null || this.#history.seenFrom === "object") return verdict;
    return verdict.attempt === attempt ? { ...verdict, is: "claimed" } : verdict;
  }

  /** Real time: no operation stands before one that ended before it began. */
  #orderFault(operation: Operation): Violation | null {
    const before = this.#lastStarted;
    if (before === null || operation.endedAt === null || before.startedAt <= operation.endedAt) return null;
    return broken("the first had its answer before the second began, and yet the ledger has them the other way round", operation, before);
  }
}
