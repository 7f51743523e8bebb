// Which events an end of all holds caused: it is one call, with an event for each hold.

import type { LedgerEvent } from "../model/types.ts";
import type { History, Operation } from "./history.ts";

/** The first and the last slot of the events of one call. */
export type Ending = { readonly first: number; readonly last: number };

/** By the index of a call that ends all holds: its events. A call that found no hold is absent. */
export type Endings = ReadonlyMap<number, Ending>;

/** The most ways that are tried: many calls of unknown outcome could take for ever. */
const WAYS_MAX = 20_000;

/** Every way in which calls that end all holds can have caused events, the longest endings first. */
export function* endingsOf(history: History): Generator<Endings> {
  const calls: { readonly index: number; readonly candidates: readonly (Ending | null)[] }[] = [];
  const runs = history.operations.some(({ call }) => call.kind === "end_holds") ? runsIn(history.events) : [];
  for (const [index, operation] of history.operations.entries()) {
    if (operation.call.kind !== "end_holds") continue;
    const candidates = runs.filter((run) => mayHaveCaused(history, operation, run));
    calls.push({ index, candidates: [...candidates, null] });
  }
  let left = WAYS_MAX;
  function* ways(depth: number, chosen: Map<number, Ending>): Generator<Endings> {
    const call = calls[depth];
    if (call === undefined) {
      left -= 1;
      if (left < 0) throw new Error("the history has too many calls that end all holds");
      yield new Map(chosen);
      return;
    }
    for (const candidate of call.candidates) {
      if (candidate !== null && [...chosen.values()].some((other) => overlap(other, candidate))) continue;
      if (candidate !== null) chosen.set(call.index, candidate);
      yield* ways(depth + 1, chosen);
      chosen.delete(call.index);
    }
  }
  yield* ways(0, new Map());
}

type Run = Ending & { readonly incarnation: number; readonly seq: number; readonly at: number };

/**
 * Runs of events that one call can have caused: at one instant, by user id, until no hold is left. The
 * longest come first.
 */
function runsIn(events: readonly LedgerEvent[]): Run[] {
  const runs: Run[] = [];
  const holders = new Set<string>();
  let incarnation = 0;
  for (const [index, event] of events.entries()) {
    const { kind, userId, at, seq } = event;
    if (kind === "created") incarnation += 1;
    if (kind === "created" || kind === "removed") holders.clear();
    if (userId !== null && kind === "held") holders.add(userId);
    else if (userId !== null) holders.delete(userId);
    if (kind !== "given_back" || event.restored !== undefined || holders.size > 0) continue;
    for (let first = index; isNextOf(events[first], events[first + 1], first === index); first -= 1)
      runs.push({ first: first + 1, last: index + 1, incarnation, seq, at });
  }
  return runs.toSorted((a, b) => b.last - b.first - (a.last - a.first));
}

function isNextOf(event: LedgerEvent | undefined, next: LedgerEvent | undefined, isLast: boolean): boolean {
  if (event?.kind !== "given_back" || event.restored !== undefined) return false;
  return isLast || (event.at === next?.at && storedUser(event) < storedUser(next));
}

/** The user's name in the tables, which are sorted by it. */
function storedUser({ alias, userId }: LedgerEvent): string {
  return alias ?? userId ?? "";
}

function mayHaveCaused({ isClockSteady }: History, { answer, clockFrom, clockUntil }: Operation, run: Run): boolean {
  if (clockFrom > run.at) return false;
  if (answer === null) return true;
  if (
    answer.is !== "ended" ||
    answer.servedByEdge === true ||
    answer.seq !== run.seq ||
    (answer.incarnation !== undefined && answer.incarnation !== run.incarnation)
  )
    return false;
  if (isClockSteady && run.at > (clockUntil ?? Infinity)) return false;
  return answer.count === undefined || answer.count === run.last - run.first + 1;
}

function overlap(a: Ending, b: Ending): boolean {
  return a.first <= b.last && b.first <= a.last;
}
