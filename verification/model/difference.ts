// Compares answers and events with what the reference model says.

import type { Verdict } from "./judge.ts";
import { changed, isSame, UNSET } from "./settings.ts";
import type { Answer, Facts, LedgerEvent } from "./types.ts";

/** Whether a verdict is the cause of `event`. */
export function isTheEvent(verdict: Verdict, { kind, position, expiresAt, settings, erasedSeqs }: LedgerEvent): boolean {
  if (verdict.isEvent !== true || verdict.is !== kind) return false;
  if (position !== null && verdict.position !== position) return false;
  if (erasedSeqs?.join() !== verdict.erasedSeqs?.join()) return false;
  if (expiresAt !== undefined && verdict.expiresAt !== expiresAt) return false;
  return settings === undefined || isSame(changed(UNSET, verdict), settings);
}

/** Fields of an answer that are no facts, or are lists. */
const NO_SCALAR_FACTS: ReadonlySet<string> = new Set<keyof Answer>([
  "is",
  "seq",
  "incarnation",
  "at",
  "servedByEdge",
  "claimants",
  "holders",
]);

/** How an answer differs from the right one, in words; null where it does not. */
export function differenceIn(answered: Answer, due: Verdict): string | null {
  if (answered.is !== due.is) return `it was answered ${answered.is}, and ${due.is} is right`;
  // Every fact is compared, also a new one. A plain loop, because millions of answers are compared.
  for (const fact in answered) {
    if (NO_SCALAR_FACTS.has(fact)) continue;
    const value = answered[fact as keyof Facts];
    if (value !== undefined && value !== due[fact as keyof Facts])
      return `it was answered ${fact} ${String(value)}, and ${String(due[fact as keyof Facts])} is right`;
  }
  return listDifference("claimants", answered.claimants, due.claimants) ?? listDifference("holders", answered.holders, due.holders);
}

function listDifference(fact: string, answered: readonly string[] | undefined, due: readonly string[] = []): string | null {
  if (answered === undefined || isSameList(answered, due)) return null;
  return `it was answered ${fact} [${answered.join(", ")}], and [${due.join(", ")}] is right`;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}
