// Finds the place of each operation in the ledger: the head of its answer, and the event that it wrote.

import type { LedgerEvent, Outcome } from "../model/types.ts";
import { isAnswerOf, isCauseOf, isRepeatable, writtenAt } from "./cause.ts";
import type { Endings } from "./endings.ts";
import { isWithoutEffect, type History, type Operation } from "./history.ts";
import { holdBefore, isHoldReleased } from "./holds.ts";

/** Deliveries of a repeatable call by the Worker besides the answered one. */
const REDELIVERIES_MAX = 2;

/** The object answers these only to the writer of the event. */
const ALWAYS_EVENTS: ReadonlySet<Outcome> = new Set<Outcome>(["created", "claimed", "held", "removed"]);

/**
 * A slot is an event's place in the ledgers of all incarnations, from 1; slot 0 is before the first. An
 * operation stands at the slot of the head that its answer names. A refusal at the edge stands at the first
 * slot from there on at which it can be given.
 */
export class Placement {
  /** By slot: the index of the operation that wrote the event; -1 without one. */
  readonly writers: Int32Array;
  readonly #history: History;
  readonly #endings: Endings;
  /** The slots at which an incarnation begins (its seq 0) and ends (its last event before the removal). */
  readonly #incarnations: { readonly base: number; readonly head: number; readonly isOver: boolean }[] = [];
  /** Linked lists: by slot the first operation there, by operation the next one; -1 ends a list. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** By operation: its slot; -1 without one. */
  readonly #slots: Int32Array;
  /** By slot: the writer of the event began before this instant, because an answer shows the event. */
  readonly #deadlines: Float64Array;
  /** By the slot of a hold: the attempts whose answers say that they made it, and that they did not. */
  readonly #holders = new Map<number, { readonly own: Set<string>; readonly others: Set<string> }>();

  /** `endings` says which events the ends of all holds caused. */
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

  /** The next operation at the same slot, or -1. */
  after(index: number): number {
    return this.#next[index] ?? -1;
  }

  /** The slot of the operation, or -1 if the ledger never had the head that its answer names. */
  slotOf(index: number): number {
    return this.#slots[index] ?? -1;
  }

  /** Moves an operation to the next incarnation that its answer may be about. Returns false without one. */
  moveOn(index: number): boolean {
    const operation = this.#history.operations[index];
    const slot = operation === undefined ? -1 : this.#slotAfter(operation, this.slotOf(index));
    if (slot !== -1) this.#moveTo(index, slot);
    return slot !== -1;
  }

  /** The operations that asked for an event, in time or not: they explain an event without a writer. */
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

  /** The first slot behind `after` at which the answer can be given, or -1. */
  #slotAfter(operation: Operation, after: number): number {
    const { seq = 0, incarnation, createdAt, servedByEdge } = operation.answer ?? {};
    const incarnations = this.#incarnations;
    if (servedByEdge === true) return this.#edgeSlotAfter(operation, after);
    // Before the first incarnation there is nothing that is over.
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

  /** The same for a refusal at the edge: a certificate may stay true for many slots. */
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
    const next = events[slot];
    const until = next?.restored === undefined ? (next?.at ?? Infinity) : Infinity;
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

  /** A ledger does not say which attempt made a hold, but the answer to an attempt does. */
  #findHolders(): void {
    const { operations, events } = this.#history;
    for (const [index, { call, attempt, answer }] of operations.entries()) {
      if (call.kind !== "hold" || attempt === null || (answer?.is !== "held" && answer?.is !== "held_already")) continue;
      // The answer may be about any of several incarnations, so only a hold with the same instants counts.
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

  /** All slots at which an operation can be answered, in any incarnation. */
  #slotsOf(operation: Operation | undefined): number[] {
    const slots: number[] = [];
    if (operation === undefined) return slots;
    for (let slot = this.#slotAfter(operation, -1); slot !== -1; slot = this.#slotAfter(operation, slot)) slots.push(slot);
    return slots;
  }

  /**
   * An operation that is answered as an event's writer, with the event as the head, wrote it. A second revoke
   * has the same answer as the first: then the writer is the one that began first. Of several that must have
   * written an event, the writer is the one that ended first: a later one may have written an event of the
   * next incarnation.
   */
  #claimEvent(index: number): void {
    const { operations, events } = this.#history;
    const operation = operations[index];
    const answer = operation?.answer ?? null;
    if (operation === undefined || answer === null || answer.servedByEdge === true) return;
    for (let slot = this.slotOf(index); slot !== -1; slot = this.#slotAfter(operation, slot)) {
      if (nameOf(events[slot - 1]) === answer.is && this.#mayHaveWritten(operation, slot)) {
        const rivalIndex = this.writers[slot] ?? -1;
        const rival = operations[rivalIndex];
        if (rival === undefined || isBefore(operation, rival, answer.is)) {
          this.writers[slot] = index;
          if (slot !== this.slotOf(index)) this.#moveTo(index, slot);
          if (rival !== undefined) this.#claimEvent(rivalIndex);
          return;
        }
      }
      // An answer that needs no event stays in the first incarnation that it may be about.
      if (!ALWAYS_EVENTS.has(answer.is)) return;
    }
  }

  /**
   * The Worker's first delivery wrote the event, and a later one was answered: the answer has the event's
   * instant.
   */
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

  /**
   * Finds writers for the other events by augmenting paths: requests without an answer, and repeated
   * deliveries.
   */
  #matchOrphans(): void {
    const { operations, events, seenFrom } = this.#history;
    const orphans: number[] = [];
    for (let slot = 1; slot <= events.length; slot += 1) if (this.writers[slot] === -1 && hasWriter(events[slot - 1])) orphans.push(slot);
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
    if (event === undefined || operation.startedAt > (this.#deadlines[slot] ?? Infinity)) return false;
    // A restored event has its first instant.
    if (event.restored !== undefined) return (operation.answer?.is ?? "restored") === "restored" && isCauseOf(operation.call, events, slot);
    if (operation.clockFrom > event.at) return false;
    // Events of an end of all holds have their writer already.
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

/** The answer to the writer of an event. */
function nameOf(event: LedgerEvent | undefined): Outcome | undefined {
  if (event?.restored !== undefined) return event.restored.isLast ? "restored" : undefined;
  return event?.kind === "expired" ? undefined : event?.kind;
}

/** Whether a call must have caused the event. One call causes all events that are restored. */
function hasWriter(event: LedgerEvent | undefined): boolean {
  return event?.restored === undefined ? event?.kind !== "expired" : event.restored.isLast;
}

function isBefore(a: Operation, b: Operation, is: Outcome): boolean {
  // A request without a name is answered `held` only if it has just made the hold.
  if (is === "held" && (a.attempt === null) !== (b.attempt === null)) return a.attempt === null;
  return ALWAYS_EVENTS.has(is) ? (a.endedAt ?? Infinity) < (b.endedAt ?? Infinity) : a.startedAt < b.startedAt;
}
