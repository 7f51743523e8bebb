// Where each operation of a history stands in the ledger: behind which event it was answered, and which event it wrote.

import { isAnswerOf, isCauseOf, isRepeatable, writtenAt } from "./cause.ts";
import type { Endings } from "./endings.ts";
import { holdBefore, isHoldReleased } from "./holds.ts";
import type { Outcome } from "../model/types.ts";
import { isWithoutEffect, type History, type Operation } from "./history.ts";

/** Deliveries of one repeatable call by the Worker beside the one that is answered. */
const REDELIVERIES_MAX = 2;

/** Asked of the object itself, these are answered only to whoever wrote the event. */
const ALWAYS_EVENTS: ReadonlySet<Outcome> = new Set<Outcome>(["created", "claimed", "held", "removed"]);

/**
 * A slot is an event's place in the ledger through all incarnations, from 1; slot 0 is before the first. An operation stands at the
 * slot of the ledger's head that its answer names; a refusal at the edge at the first one from there on at which it can have been given.
 */
export class Placement {
  /** By slot: the operation that wrote this event, by its index; -1 where nobody did. */
  readonly writers: Int32Array;
  readonly #history: History;
  readonly #endings: Endings;
  /** The slots at which a incarnation begins (its slot of seq 0) and ends (its last event before the removal). */
  readonly #incarnations: { readonly base: number; readonly head: number; readonly isOver: boolean }[] = [];
  /** By slot, the first operation that stands there, and by operation the next one; -1 ends the list. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** By operation: where it stands, -1 where nowhere. */
  readonly #slots: Int32Array;
  /** By slot: whoever wrote its event had begun by then, because somebody had heard of it. */
  readonly #deadlines: Float64Array;
  /** By the slot of a hold: attempts that were answered of it as theirs, and as made by another. */
  readonly #holders = new Map<number, { readonly own: Set<string>; readonly others: Set<string> }>();

  /** Calls that ended all holds have caused what `endings` says. */
  constructor(history: History, endings: Endings) {
    const { operations, events } = history;
    this.#history = history;
    this.#endings = endings;
    this.writers = new Int32Array(events.length + 1).fill(-1);
    this.#first = new Int32Array(events.length + 1).fill(-1);
    this.#next = new Int32Array(operations.length).fill(-1);
    this.#slots = new Int32Array(operations.length).fill(-1);
    this.#deadlines = new Float64Array(events.length + 2).fill(Infinity);
    this.#findIncarnations();
    for (let index = operations.length - 1; index >= 0; index -= 1) {
      const answer = operations[index]?.answer ?? null;
      if (answer !== null && !isWithoutEffect(answer)) this.moveOn(index);
    }
    for (const [index, { first, last }] of endings) {
      this.writers.fill(index, first, last + 1);
      if (operations[index]?.answer !== null) this.#moveTo(index, last);
    }
    this.#setDeadlines();
    this.#findHolders();
    for (let index = 0; index < operations.length; index += 1) this.#claimEvent(index);
    if (history.seenFrom === "client") for (let index = 0; index < operations.length; index += 1) this.#claimEarlierEvent(index);
    this.#matchOrphans();
  }

  /** The first operation that stands at `slot`, or -1. */
  firstAt(slot: number): number {
    return this.#first[slot] ?? -1;
  }

  /** The operation that stands beside this one, or -1. */
  after(index: number): number {
    return this.#next[index] ?? -1;
  }

  /** Where the operation stands, or -1: the ledger never had the head that its answer names. */
  slotOf(index: number): number {
    return this.#slots[index] ?? -1;
  }

  /** Moves an operation to the next incarnation in which it may have been answered. False where there is none. */
  moveOn(index: number): boolean {
    const operation = this.#history.operations[index];
    const slot = operation === undefined ? -1 : this.#slotAfter(operation, this.slotOf(index));
    if (slot !== -1) this.#moveTo(index, slot);
    return slot !== -1;
  }

  /** Who asked for what happened there, whether or not it can have been in time: for the trace of an event that nobody can have caused. */
  suspects(slot: number): Operation[] {
    return this.#history.operations.filter(({ call }) => isCauseOf(call, this.#history.events, slot));
  }

  #findIncarnations(): void {
    const { events } = this.#history;
    let base = 0;
    for (let slot = 1; slot <= events.length; slot += 1) {
      if (events[slot - 1]?.kind !== "removed") continue;
      this.#incarnations.push({ base, head: slot - 1, isOver: true });
      base = slot;
    }
    if (base < events.length) this.#incarnations.push({ base, head: events.length, isOver: false });
  }

  #moveTo(index: number, slot: number): void {
    const left = this.slotOf(index);
    const next = this.after(index);
    let other = left === -1 ? -1 : this.firstAt(left);
    if (left !== -1 && other === index) this.#first[left] = next;
    while (other !== -1 && this.after(other) !== index) other = this.after(other);
    if (other !== -1) this.#next[other] = next;
    this.#slots[index] = slot;
    this.#next[index] = this.firstAt(slot);
    this.#first[slot] = index;
  }

  /** The first slot behind `after` at which the answer can have been given, or -1. */
  #slotAfter(operation: Operation, after: number): number {
    const { seq = 0, incarnation, createdAt, servedByEdge } = operation.answer ?? {};
    const incarnations = this.#incarnations;
    if (servedByEdge === true) return this.#edgeSlotAfter(operation, after);
    // Before the first incarnation nothing is over.
    if (seq === 0 && after < 0 && (incarnation === 0 || (incarnation === undefined && this.#isAround(0, operation)))) return 0;
    for (let index = 0; index < incarnations.length; index += 1) {
      const { base, head, isOver } = incarnations[index] ?? { base: 0, head: 0, isOver: false };
      if (incarnation !== undefined && incarnation !== index + 1) continue;
      if (createdAt !== undefined && createdAt !== this.#history.events[base]?.at) continue;
      const slot = seq === 0 ? head + 1 : base + seq;
      if (slot <= after || (seq === 0 ? !isOver : slot > head)) continue;
      if (incarnation !== undefined || incarnations.length === 1 || this.#isAround(slot, operation)) return slot;
    }
    return -1;
  }

  /** As {@link #slotAfter}: what a certificate says may be true for long. */
  #edgeSlotAfter(operation: Operation, after: number): number {
    const { seq = 0, incarnation } = operation.answer ?? {};
    for (const [index, { base, head }] of this.#incarnations.entries()) {
      if (seq < 1 || (incarnation !== undefined && incarnation !== index + 1)) continue;
      for (let slot = Math.max(base + seq, after + 1); slot <= head; slot += 1) if (this.#isAround(slot, operation)) return slot;
    }
    return -1;
  }

  /** Whether the ledger's head was this one at some instant of the operation. */
  #isAround(slot: number, { clockFrom, clockUntil }: Operation): boolean {
    const { events, isClockSteady } = this.#history;
    if (!isClockSteady) return true;
    const from = events[slot - 1]?.at ?? -Infinity;
    const until = events[slot]?.at ?? Infinity;
    return from <= (clockUntil ?? Infinity) && clockFrom <= until;
  }

  #setDeadlines(): void {
    const { operations, events } = this.#history;
    for (let slot = events.length; slot >= 0; slot -= 1) {
      let deadline = this.#deadlines[slot + 1] ?? Infinity;
      for (let index = this.#first[slot] ?? -1; index !== -1; index = this.#next[index] ?? -1) {
        deadline = Math.min(deadline, operations[index]?.endedAt ?? Infinity);
      }
      this.#deadlines[slot] = deadline;
    }
  }

  /** A ledger does not log whose attempt made a hold, but who asks is answered whether it was theirs. */
  #findHolders(): void {
    const { operations, events } = this.#history;
    for (const [index, { call, attempt, answer }] of operations.entries()) {
      if (call.kind !== "hold" || attempt === null || (answer?.is !== "held" && answer?.is !== "held_already")) continue;
      // Of several incarnations it may be about any, so that only a hold as it was answered can be meant.
      const slots = this.#slotsOf(operations[index]).map((slot) => holdBefore(events, slot, call.userId));
      const [slot, ...more] = slots.filter(
        (held) => events[held - 1]?.at === answer.heldAt && events[held - 1]?.expiresAt === answer.expiresAt,
      );
      if (slot === undefined || more.length > 0) continue;
      const answered = this.#holders.get(slot) ?? { own: new Set(), others: new Set() };
      this.#holders.set(slot, answered);
      answered[answer.is === "held" ? "own" : "others"].add(attempt);
    }
  }

  /** Every slot at which an operation can have been answered, in one incarnation or another. */
  #slotsOf(operation: Operation | undefined): number[] {
    const slots: number[] = [];
    if (operation === undefined) return slots;
    for (let slot = this.#slotAfter(operation, -1); slot !== -1; slot = this.#slotAfter(operation, slot)) slots.push(slot);
    return slots;
  }

  /**
   * Whoever was answered what an event's writer is answered, with the event as the ledger's head, wrote it. Of several (a second
   * release is answered the same) it is the one that began first: any later one can as well have found it done. Of several that
   * must have written something, it is the one that ended first: a later one may have written the like in the next incarnation.
   */
  #claimEvent(index: number): void {
    const { operations, events } = this.#history;
    const operation = operations[index];
    const answer = operation?.answer ?? null;
    if (operation === undefined || answer === null || answer.servedByEdge === true) return;
    for (let slot = this.slotOf(index); slot !== -1; slot = this.#slotAfter(operation, slot)) {
      if (events[slot - 1]?.kind === answer.is && this.#mayHaveWritten(operation, slot)) {
        const rivalIndex = this.writers[slot] ?? -1;
        const rival = operations[rivalIndex];
        if (rival === undefined || isBefore(operation, rival, answer.is)) {
          this.writers[slot] = index;
          if (slot !== this.slotOf(index)) this.#moveTo(index, slot);
          if (rival !== undefined) this.#claimEvent(rivalIndex);
          return;
        }
      }
      // What can also be answered where nothing happened stays in the first incarnation that it may be about.
      if (!ALWAYS_EVENTS.has(answer.is)) return;
    }
  }

  /** The Worker's first delivery wrote the event, and a later one was answered: the answer names the event by its instant. */
  #claimEarlierEvent(index: number): void {
    const { operations, events } = this.#history;
    const operation = operations[index];
    const answer = operation?.answer;
    if (operation === undefined || (answer?.is !== "claimed" && answer?.is !== "held")) return;
    const at = writtenAt(answer);
    if (at === undefined || this.writers[this.slotOf(index)] === index) return;
    for (let slot = this.slotOf(index); slot > 0 && (events[slot - 1]?.at ?? 0) >= at; slot -= 1) {
      const event = events[slot - 1];
      const isIt = event?.kind === answer.is && event.at === at && this.writers[slot] === -1;
      if (isIt && this.#mayHaveWritten(operation, slot)) {
        this.writers[slot] = index;
        return;
      }
    }
  }

  /** Finds for each event that is left a request of unknown outcome, or a delivery that was not answered, by augmenting paths. */
  #matchOrphans(): void {
    const { operations, events, seenFrom } = this.#history;
    const orphans: number[] = [];
    for (let slot = 1; slot <= events.length; slot += 1)
      if (this.writers[slot] === -1 && events[slot - 1]?.kind !== "expired") orphans.push(slot);
    if (orphans.length === 0) return;

    const candidates: number[] = [];
    for (const [index, { answer }] of operations.entries()) if (answer === null) candidates.push(index);
    for (const [index, { call, answer }] of operations.entries()) {
      const isSure = answer !== null && (isWithoutEffect(answer) || answer.servedByEdge === true);
      if (isSure || seenFrom === "object" || !isRepeatable(call)) continue;
      for (let delivery = 1; delivery <= REDELIVERIES_MAX; delivery += 1) candidates.push(index);
    }
    const taken = new Map<number, number>();
    const tryFor = (slot: number, tried: Set<number>): boolean => {
      for (const [candidate, index] of candidates.entries()) {
        const operation = operations[index];
        if (operation === undefined || tried.has(candidate) || !this.#mayHaveWritten(operation, slot)) continue;
        if (operation.answer !== null && slot >= this.slotOf(index)) continue;
        tried.add(candidate);
        const other = taken.get(candidate);
        if (other !== undefined && !tryFor(other, tried)) continue;
        taken.set(candidate, slot);
        return true;
      }
      return false;
    };
    for (const slot of orphans) tryFor(slot, new Set());
    for (const [candidate, slot] of taken) this.writers[slot] = candidates[candidate] ?? -1;
  }

  #mayHaveWritten(operation: Operation, slot: number): boolean {
    const { events, isClockSteady } = this.#history;
    const event = events[slot - 1];
    if (event === undefined || operation.startedAt > (this.#deadlines[slot] ?? Infinity) || operation.clockFrom > event.at) return false;
    // An end of all holds wrote what is said in advance, and nobody else did.
    if (operation.call.kind === "end_holds" || this.#endings.has(this.writers[slot] ?? -1)) return false;
    if (isClockSteady && operation.answer !== null && event.at > (operation.clockUntil ?? Infinity)) return false;
    const { call, attempt, answer } = operation;
    if (answer !== null && answer.is === event.kind && !isAnswerOf(answer, event)) return false;
    if (event.attempt !== undefined && attempt !== null && event.attempt !== attempt) return false;
    if (call.kind === "hold" && attempt !== null && isHoldReleased(events, slot, call.userId, attempt)) return false;
    const answered = this.#holders.get(slot);
    if (attempt !== null && answered?.others.has(attempt) === true) return false;
    if (answered !== undefined && answered.own.size > 0 && (attempt === null ? event.attempt === undefined : !answered.own.has(attempt)))
      return false;
    return isCauseOf(call, events, slot);
  }
}

function isBefore(a: Operation, b: Operation, is: Outcome): boolean {
  // A request without a name is answered that a hold is its own only where it has just made it.
  if (is === "held" && (a.attempt === null) !== (b.attempt === null)) return a.attempt === null;
  return ALWAYS_EVENTS.has(is) ? (a.endedAt ?? Infinity) < (b.endedAt ?? Infinity) : a.startedAt < b.startedAt;
}
