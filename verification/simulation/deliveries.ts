// One delivery to the object: how it is recorded and named, and how long it may wait.

import { BATCH_WAIT_MS_MAX } from "../../src/domain/limits.ts";
import type { Result } from "../model/product-answers.ts";
import type { Answer, Call } from "../model/types.ts";
import type { Context } from "./context.ts";
import type { Waiting } from "./instance.ts";
import { nameOf, type Delivery, type Recorded } from "./network.ts";
import type { End } from "./plan.ts";

/** Commands that may wait for a lease. Until then they are not judged. */
export const DEFERRABLE: ReadonlySet<string> = new Set(["change", "release", "give_back", "end_holds", "archive", "remove"]);

/** Lines of the log about calls that failed. */
export const CALL_LINES = /call_failed|courier_not_notified|courier_failed|delivery_failed|delivery_interrupted/;

/** The longest that a message waits for its batch, in milliseconds, with the rounding of timers. */
const WAIT_MS_MAX = BATCH_WAIT_MS_MAX + 2;

/** The longest that a message waits for a lease, in milliseconds. */
const DEFERRED_MS_MAX = 1_100 + 2 * WAIT_MS_MAX;

/** An operation that has no answer yet. */
export function unanswered(call: Call, client: string, attempt: string | null, startedAt: number, clockFrom: number): Recorded {
  return { call, client, startedAt, endedAt: null, clockFrom, clockUntil: null, attempt, answer: null };
}

/** Checks that a message did not wait too long for its answer. */
export function checkWait({ scheduler, count, breach }: Context, { delivery, deliveredAt }: Waiting): void {
  const waitedMs = scheduler.now - deliveredAt;
  if (waitedMs <= WAIT_MS_MAX) return;
  if (DEFERRABLE.has(delivery.command) && waitedMs <= DEFERRED_MS_MAX) count("lease.deferred");
  else breach("wait", `${messageName(delivery)} waited ${waitedMs} ms for its answer`);
}

/** Puts a refused operation into the words of a history. */
export function reword(operation: Recorded, code: string): void {
  // A tag that does not match says that the coupon exists, and nothing else.
  if (code === "precondition_failed") operation.call = { kind: "read" };
}

export function messageName({ request, command, number, isRepeat }: Delivery): string {
  const message = isRepeat ? " (once more)" : number === 1 ? "" : ` (attempt ${number})`;
  return command === "certify" ? `isolate ${request.isolate}'s certificate request or report` : nameOf(request) + message;
}

export function resultText(result: Result, answers: readonly Answer[]): string {
  if ("certificate" in result)
    return result.certificate === null ? "none" : `${result.certificate.code} for ${result.certificate.validForMs} ms`;
  return answers.map(({ is, seq }) => `${is} at seq ${seq}`).join(", ");
}

export function endText({ isLossy, skewMs, mark }: End): string {
  const clock = skewMs === null ? "" : `, the next clock ${skewMs} ms ahead`;
  return `${isLossy ? "unflushed writes are lost" : "all writes stay"}${clock}, callers get ${mark}`;
}
