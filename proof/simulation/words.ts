// What the platform does, in words; and an answer in those of a history.

import type { Answer } from "../history/history.ts";
import type { Result } from "./answers.ts";
import { nameOf, type Delivery, type Recorded } from "./network.ts";
import type { End } from "./plan.ts";
import type { Command } from "./points.ts";
import type { Storage } from "./storage.ts";

/** The life that is, or was last, and how many lives there are with the one to come. */
export type Lives = { readonly life: number; readonly lifeCount: number };

/** The lives that there are. */
export function livesIn({ life, lives }: Storage): Lives {
  return { life, lifeCount: lives.length };
}

/** The life that an answer is about which was given in an event that led from `before` to `now`; undefined where that can't be known. */
export function lifeOf(command: Command, { seq, ok }: Result, before: Lives, now: Lives): number | undefined {
  const { life } = now;
  const removedCount = now.lifeCount - before.lifeCount;
  const createdCount = life - before.life;
  if (createdCount === 0) return life;
  const isNotFound = seq === 0 && !ok;
  if (removedCount === 0) return isNotFound ? before.life : life;
  if (removedCount > 1 || createdCount > 1) return undefined;
  // A removal and a creation, in the order that is possible.
  const isRemovalFirst = before.life === before.lifeCount;
  if (command === "create" && ok) return life;
  if (command === "remove" && ok) return isRemovalFirst ? before.life : life;
  if (isRemovalFirst) return isNotFound ? before.life : undefined;
  return isNotFound ? undefined : life;
}

/** Puts an operation into the words of a history, once it is known how it was refused. */
export function reword(operation: Recorded, code: string): void {
  // That the tag does not fit is a word about the coupon.
  if (code === "precondition_failed") operation.call = { kind: "read" };
  // That there is a coupon is said from memory, whatever has run out meanwhile.
  if (code === "coupon_exists") operation.clockFrom = 0;
}

export function messageName({ request, command, number, isRepeat }: Delivery): string {
  const message = isRepeat ? " (once more)" : number === 1 ? "" : ` (attempt ${number})`;
  return command === "certify" ? `isolate ${request.isolate}'s request for a certificate` : nameOf(request) + message;
}

export function saidBy(result: Result, answers: readonly Answer[]): string {
  if ("certificate" in result)
    return result.certificate === null ? "none" : `${result.certificate.code} for ${result.certificate.validForMs} ms`;
  return answers.map(({ is, seq }) => `${is} at seq ${seq}`).join(", ");
}

/** An end in words. */
export function endText({ isLossy, skewMs, mark }: End): string {
  const clock = skewMs === null ? "" : `, the next clock ${skewMs} ms ahead`;
  return `${isLossy ? "what is not on disk is lost" : "what was written stays"}${clock}, callers are told ${mark}`;
}
