// Whether a history is one of a correct coupon: exact, in time that grows with its length. Answers name the ledger's head, so
// there is one order to try: each event, then all that was answered with that event as the head.

import { staleMsMax } from "./cause.ts";
import { follow, type Coupon } from "./coupon.ts";
import { differenceIn, isTheEvent } from "./difference.ts";
import { isWithoutEffect, type Answer, type Call, type History, type LedgerEvent, type Operation, type Violation } from "./history.ts";
import { Placement } from "./placement.ts";
import { judge, type Verdict } from "./specification.ts";

/**
 * Why `history` is no history of a correct coupon, or null where it is one.
 *
 * Checked is that the specification, led along the ledger, allows every event, wants every answer as it was told, at an
 * instant that the operation can have had, and that nobody stands behind an operation that began after they had their answer.
 *
 * An event has its instant from the ledger. Anything else is right if it is right at some instant between its beginning and
 * its end by the coupon's clock, not before the event it stands behind, not after the next one, and before the next hold is
 * over. Where the clock was set back, it may be as late as any instant that the history knows.
 *
 * What else is taken: a request of unknown outcome may have caused one event at any time after it was sent; behind the Worker, a
 * call that it repeats by itself (a claim, a hold, a change, a release by position) may have caused up to two more before it was
 * answered, and a claim so made is told as new; a refusal at the edge may be a second old. Of several lives of one name, an
 * answer that does not say which it is about stands in the first in which it is right. Nothing else.
 */
export function violationIn(history: History): Violation | null {
  return new Replay(history).run();
}

class Replay {
  readonly #history: History;
  readonly #placement: Placement;
  #coupon: Coupon | null = null;
  #slot = 0;
  /** The operation that began last among those before this slot. */
  #lastBegun: Operation | null = null;
  /** Where the clock was set back, the coupon may go on from the latest instant that it has seen. */
  readonly #markMax: number;

  constructor(history: History) {
    this.#history = history;
    this.#placement = new Placement(history);
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
      const violation = (event === undefined ? null : this.#happen(event)) ?? this.#hear();
      if (violation !== null) return violation;
    }
    return null;
  }

  /** Follows one event, and looks at what its writer was told. */
  #happen(event: LedgerEvent): Violation | null {
    const index = this.#placement.writers[this.#slot] ?? -1;
    const writer = this.#history.operations[index];
    const coupon = this.#coupon;
    const wrong = this.#isWrong(event, writer);
    if (wrong !== null)
      return broken(`event ${said(event)}: ${wrong}`, ...(writer === undefined ? this.#placement.suspects(this.#slot) : [writer]));
    if (writer !== undefined) {
      const verdict = judge(coupon, writer.call, writer.attempt, event.at);
      if (!isTheEvent(verdict, event)) return broken(`event ${said(event)}: what was asked for is to be answered ${verdict.is}`, writer);
      const isAnswered = this.#placement.slotOf(index) === this.#slot;
      const difference = isAnswered && writer.answer !== null ? differenceIn(writer.answer, verdict) : null;
      if (difference !== null) return broken(`at event ${said(event)}: ${difference}`, writer);
      const late = isAnswered ? this.#standBehind(writer) : null;
      if (late !== null) return late;
      this.#lastBegun = lastOf(this.#lastBegun, writer);
    }
    const call = writer?.call;
    const key = event.key ?? (call?.kind === "claim" ? call.key : null);
    this.#coupon = follow(coupon, event, event.attempt ?? writer?.attempt ?? null, key);
    return null;
  }

  /** Why `event` cannot come now, whoever wrote it. */
  #isWrong(event: LedgerEvent, writer: Operation | undefined): string | null {
    const coupon = this.#coupon;
    const { events, isClockSteady } = this.#history;
    const before = events[this.#slot - 2];
    const isFirst = event.kind === "created";
    if (event.kind !== "removed" && event.seq !== (isFirst ? 1 : (before?.seq ?? 0) + 1)) return "the ledger is not dense";
    // A coupon whose clock was set back stays at its latest instant; its removal and the next creation have the clock's own.
    const mayBeBack = !isClockSteady && (event.kind === "removed" || event.kind === "created");
    if (before !== undefined && event.at < before.at && !mayBeBack) return "time went back";
    if (event.kind === "expired") {
      const expiresAt = coupon?.holds.get(event.userId ?? "")?.expiresAt;
      if (expiresAt === undefined) return "there was no such hold";
      if (event.at < expiresAt) return `it ended ${expiresAt - event.at} ms early`;
      return coupon?.nextExpiryAt === expiresAt ? null : "another hold was over before it";
    }
    if (writer === undefined) return "no request can have caused it";
    return coupon !== null && coupon.nextExpiryAt <= event.at && event.kind !== "removed" ? "a hold was over and not given up" : null;
  }

  /** Looks at all that was answered with this slot as the ledger's head. */
  #hear(): Violation | null {
    const { operations } = this.#history;
    const writer = this.#placement.writers[this.#slot] ?? -1;
    let lastBegun = this.#lastBegun;
    let next = -1;
    for (let index = this.#placement.firstAt(this.#slot); index !== -1; index = next) {
      next = this.#placement.after(index);
      const operation = operations[index];
      if (operation === undefined || operation.answer === null || index === writer) continue;
      const difference =
        operation.answer.servedByEdge === true ? this.#fromEdge(operation, operation.answer) : this.#heard(operation, operation.answer);
      if (difference !== null && this.#placement.moveOn(index)) continue;
      if (difference !== null) return broken(`at seq ${operation.answer.seq}: ${difference}`, operation);
      const late = this.#standBehind(operation);
      if (late !== null) return late;
      lastBegun = lastOf(lastBegun, operation);
    }
    this.#lastBegun = lastBegun;
    return null;
  }

  /** How an answer differs from what it had to be, at every instant at which it can have been given; null where it does not at one. */
  #heard({ call, attempt, clockFrom, clockUntil }: Operation, answer: Answer): string | null {
    const until = Math.max(clockUntil ?? Infinity, this.#markMax);
    return this.#differs(answer, clockFrom, until, call, attempt);
  }

  /**
   * The Worker may repeat a refusal of the object for a while: what the object would have said, with the head that it names, at an
   * instant that recently.
   */
  #fromEdge({ call, clockFrom, clockUntil }: Operation, answer: Answer): string | null {
    if (answer.is !== "out_of_stock" && answer.is !== "sale_ended") return `the Worker may not say ${answer.is} by itself`;
    return this.#differs(answer, clockFrom - staleMsMax(answer), clockUntil ?? Infinity, call, null);
  }

  #differs(answer: Answer, from: number, until: number, call: Call, attempt: string | null): string | null {
    const coupon = this.#coupon;
    const { events, isClockSteady } = this.#history;
    const low = Math.max(from, coupon?.at ?? events[this.#slot - 1]?.at ?? -Infinity, answer.at ?? -Infinity);
    const nextAt = isClockSteady ? (events[this.#slot]?.at ?? Infinity) : Infinity;
    // With the hold's expiry the head would have moved on.
    const high = Math.min(until, nextAt, (coupon?.nextExpiryAt ?? Infinity) - 1, answer.at ?? Infinity);
    if (low > high) return `it was told ${answer.is}, but there is no instant at which the ledger stood there and it ran`;
    const difference = this.#differsAt(low, answer, call, attempt);
    if (difference === null || coupon === null) return difference;
    // Between two events only the sale window makes a difference.
    const { startsAt, endsAt } = coupon.settings;
    if (startsAt !== null && startsAt > low && startsAt <= high && this.#differsAt(startsAt, answer, call, attempt) === null) return null;
    if (endsAt !== null && endsAt > low && endsAt <= high && this.#differsAt(endsAt, answer, call, attempt) === null) return null;
    return difference;
  }

  #differsAt(at: number, answer: Answer, call: Call, attempt: string | null): string | null {
    const verdict = judge(this.#coupon, call, attempt, at);
    if (verdict.isEvent === true && verdict.is === answer.is) return `it was told ${answer.is}, and the ledger has no such event of it`;
    return differenceIn(answer, this.#unhidden(verdict, call, attempt));
  }

  /** Behind the Worker, what its own earlier delivery did is no replay. */
  #unhidden(verdict: Verdict, call: Call, attempt: string | null): Verdict {
    if (verdict.is !== "replayed" || call.kind !== "claim" || attempt === null || this.#history.seenFrom === "object") return verdict;
    return this.#coupon?.claims.get(call.userId)?.attempt === attempt ? { ...verdict, is: "claimed" } : verdict;
  }

  /** Real time: nobody who had their answer stands behind an operation that began only then. */
  #standBehind(operation: Operation): Violation | null {
    const before = this.#lastBegun;
    if (before === null || operation.endedAt === null || beginOf(before) <= operation.endedAt) return null;
    return broken("the first had its answer before the second began, and yet the ledger has them the other way round", operation, before);
  }
}

function lastOf(a: Operation | null, b: Operation): Operation {
  return a === null || beginOf(a) < beginOf(b) ? b : a;
}

/** What may be old counts as asked for that much earlier. */
function beginOf({ startedAt, answer }: Operation): number {
  return startedAt - staleMsMax(answer);
}

function said({ seq, kind, userId, position }: LedgerEvent): string {
  return [seq === 0 ? "" : String(seq), kind, userId ?? "", position === null ? "" : `#${position}`]
    .filter((part) => part !== "")
    .join(" ");
}

function broken(what: string, ...operations: readonly (Operation | undefined)[]): Violation {
  return { what, operations: operations.filter((operation) => operation !== undefined) };
}
