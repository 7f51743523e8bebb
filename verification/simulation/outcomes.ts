// What a request allows: retries, failures, and the operations of its history.

import { CALL_DEADLINE_MS, CALL_RETRIES_MAX } from "../../src/domain/limits.ts";
import type { Call } from "../model/types.ts";
import { isOverloaded } from "./exceptions.ts";
import type { Request as Sent } from "./network.ts";
import type { Ask } from "./plan.ts";

/**
 * Why the Worker must not fail in this way; null if it may. A repeatable call is retried while there is time.
 */
export function failureFault({ ask, lastFailure, sentCount, received, sentAt }: Sent, code: string, now: number): string | null {
  const isRead = READS.has(ask.kind);
  const isSaid = received !== null && !received.result.ok && received.result.code === "unavailable";
  if (isRead && code === "outcome_unknown") return "is a read, and its outcome is unknown";
  if (!isRead && code === "unavailable" && !(isSaid && sentCount === 1)) return "is answered that nothing was changed without knowing so";
  // A view may wait for the read of another visitor.
  if (ask.kind === "status" || ask.kind === "view" || isSaid || isOverloaded(lastFailure)) return null;
  if (!mayBeRepeated(ask) || sentCount > CALL_RETRIES_MAX || now - sentAt >= CALL_DEADLINE_MS) return null;
  return `is not retried after ${sentCount} attempts`;
}

const READS: ReadonlySet<Ask["kind"]> = new Set<Ask["kind"]>(["read", "own", "page", "metrics", "holds", "backup", "status", "view"]);

/** Whether a request may be sent more than once. */
export function mayBeRepeated(ask: Ask): boolean {
  if (ask.kind === "change") return !ask.isGuarded;
  if (ask.kind === "release") return ask.position !== null;
  return ask.kind !== "create" && ask.kind !== "remove" && ask.kind !== "give_back" && ask.kind !== "end_holds";
}

/** The operations of a request in a history. `backup` is the name of what a restore sends. */
export function callsOf(ask: Ask, backup: string): Call[] {
  switch (ask.kind) {
    case "restore":
      return [{ kind: "restore", backup, isLast: ask.part === ask.of }];
    case "claim_many":
      return ask.userIds.map((userId) => ({ kind: "claim", userId, key: null }));
    case "page":
    case "backup":
    case "metrics":
    case "status":
    case "view":
      return [{ kind: "read" }];
    case "change": {
      const { isGuarded: _isGuarded, ...call } = ask;
      return [call];
    }
    default:
      return [ask];
  }
}
