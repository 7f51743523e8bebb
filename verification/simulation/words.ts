// What the platform does, in words; and an answer in those of a history.

import type { Answer, Call } from "../model/types.ts";
import type { Result } from "../model/product-answers.ts";
import { nameOf, type Delivery, type Recorded } from "./network.ts";
import type { End } from "./plan.ts";

/** One of the operations that a delivery is counted as, before it is answered. */
export function recorded(call: Call, { request, attempt }: Delivery, startedAt: number, clockFrom: number): Recorded {
  return { call, client: request.client, startedAt, endedAt: null, clockFrom, clockUntil: null, attempt, answer: null };
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
  return `${isLossy ? "what is not on disk is lost" : "what was written stays"}${clock}, callers are answered ${mark}`;
}
