// Changes one thing in a history: an answer, an instant, or the ledger. Most of the results are wrong, and
// some are still right.

import type { Answer, LedgerEvent } from "../model/types.ts";
import type { Random } from "../random.ts";
import type { History, Operation } from "./history.ts";

/** Returns a copy of `history` in which one thing is different. */
export function corrupted(random: Random, history: History): History {
  const { operations, events } = history;
  if (random.below(4) === 0 && events.length > 0) return { ...history, events: corruptedLedger(random, events) };
  const index = random.below(operations.length);
  const operation = operations[index];
  if (operation === undefined) return history;
  const changed = random.below(3) === 0 ? moved(random, operation) : reanswered(random, operation, operations);
  return { ...history, operations: changed === null ? operations.toSpliced(index, 1) : operations.with(index, changed) };
}

function corruptedLedger(random: Random, events: readonly LedgerEvent[]): LedgerEvent[] {
  const index = random.below(events.length);
  const event = events[index];
  const next = events[index + 1];
  if (event === undefined) return [...events];
  switch (random.below(6)) {
    case 0:
      return events.slice(0, index);
    case 1:
      return events.toSpliced(index, 1);
    case 2:
      return next === undefined ? [...events] : events.toSpliced(index, 2, { ...next, seq: event.seq }, { ...event, seq: next.seq });
    case 3:
      return events.with(index, { ...event, at: event.at + oneOff(random) });
    case 4:
      return events.with(index, { ...event, userId: event.userId === null ? null : `u${random.below(3)}` });
    default:
      return events.with(index, { ...event, position: event.position === null ? null : event.position + oneOff(random) });
  }
}

/** Another time, or an unknown outcome. */
function moved(random: Random, operation: Operation): Operation | null {
  const { startedAt, endedAt } = operation;
  const shift = random.below(12) + 1;
  switch (random.below(5)) {
    case 0:
      return null;
    case 1:
      return { ...operation, endedAt: null, clockUntil: null, answer: null };
    case 2:
      return { ...operation, attempt: null };
    case 3:
      // It began later.
      return {
        ...operation,
        startedAt: startedAt + shift,
        clockFrom: startedAt + shift,
        ...(endedAt === null ? {} : endingAt(endedAt + shift)),
      };
    default:
      // It ended earlier.
      return { ...operation, ...endingAt(endedAt === null ? null : Math.max(startedAt, endedAt - shift)) };
  }
}

function endingAt(endedAt: number | null): Pick<Operation, "endedAt" | "clockUntil"> {
  return { endedAt, clockUntil: endedAt };
}

/** Another answer. */
function reanswered(random: Random, operation: Operation, others: readonly Operation[]): Operation {
  const { answer } = operation;
  const endedAt = operation.endedAt ?? operation.startedAt + random.below(10);
  const another = random.pick(others).answer;
  if (answer === null) return { ...operation, ...endingAt(endedAt), answer: another };
  switch (random.below(6)) {
    case 0:
      return { ...operation, answer: another };
    case 1:
      return { ...operation, answer: { ...answer, seq: Math.max(0, answer.seq + oneOff(random)) } };
    case 2:
      return { ...operation, answer: { is: another?.is ?? "unavailable", seq: answer.seq } };
    case 3:
      return { ...operation, answer: { is: "unavailable", seq: answer.seq } };
    case 4:
      return { ...operation, answer: otherServer(answer) };
    default:
      return { ...operation, answer: withAnotherFact(random, answer) };
  }
}

/** Moves an answer from the edge to the object, or back. */
function otherServer({ servedByEdge, ...answer }: Answer): Answer {
  return servedByEdge === true ? answer : { ...answer, servedByEdge: true };
}

function withAnotherFact(random: Random, answer: Answer): Answer {
  const facts = ["position", "claimedAt", "remaining", "heldAt", "expiresAt", "releasedAt", "amount", "held", "count"] as const;
  const fact = random.pick(facts.filter((name) => answer[name] !== undefined).concat("remaining"));
  return { ...answer, [fact]: (answer[fact] ?? 0) + oneOff(random) };
}

function oneOff(random: Random): number {
  return random.below(2) === 0 ? 1 : -1;
}
