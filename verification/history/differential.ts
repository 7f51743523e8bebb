// Compares two checkers on random small histories, right ones and wrong ones.

import { setImmediate as nextTurn } from "node:timers/promises";

import { seeded } from "../random.ts";
import { isExplainable } from "./brute-force.ts";
import { corrupted } from "./corruption.ts";
import { historyText } from "./history-text.ts";
import type { History } from "./history.ts";
import { violationIn } from "./linearizable.ts";
import { randomHistory } from "./random-history.ts";

export type Differential = {
  readonly historyCount: number;
  /** Histories that both checkers accept, and reject. */
  readonly rightCount: number;
  readonly wrongCount: number;
  /** The first history on which the checkers differ, as text; null without one. */
  readonly dispute: string | null;
};

export const SCALE = { operationCount: 7, clientCount: 3, userCount: 3, amountMax: 2 } as const;

/** Histories between two turns of the event loop, so that a signal can end the run. */
const TURN = 256;

/** Judges `historyCount` histories by both checkers, up to the first dispute. */
export async function differential(
  historyCount: number,
  seed: number,
  onJudged: (count: number) => void = () => undefined,
): Promise<Differential> {
  const random = seeded(seed);
  let rightCount = 0;
  for (let count = 0; count < historyCount; count += 1) {
    const asMade = randomHistory(random, SCALE);
    const made = random.below(4) === 0 ? withoutIncarnations(asMade) : asMade;
    const history = random.below(3) === 0 ? made : corrupted(random, made);
    const violation = violationIn(history);
    if (isExplainable(history) !== (violation === null)) {
      const dispute = `history ${count + 1}: ${violation === null ? "no order explains it, and the exact checker takes it" : violation.what}`;
      return {
        historyCount: count + 1,
        rightCount,
        wrongCount: count - rightCount,
        dispute: `${dispute}\n${historyText(history, violation)}`,
      };
    }
    if (violation === null) rightCount += 1;
    onJudged(count + 1);
    if (count % TURN === 0) await nextTurn();
  }
  return { historyCount, rightCount, wrongCount: historyCount - rightCount, dispute: null };
}

/** Returns the history as clients see it: no answer names the incarnation. */
function withoutIncarnations(history: History): History {
  const operations = history.operations.map((operation) => {
    if (operation.answer === null) return operation;
    const { incarnation: _incarnation, ...answer } = operation.answer;
    return { ...operation, answer };
  });
  return { ...history, operations };
}
