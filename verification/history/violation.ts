// Violations in words.

import type { LedgerEvent } from "../model/types.ts";
import type { Operation, Violation } from "./history.ts";

export function lastOf(a: Operation | null, b: Operation): Operation {
  return a === null || a.startedAt < b.startedAt ? b : a;
}

/** Why a refusal at the edge does not stand at a slot that does not contradict it. */
export const NOT_YET = "the ledger had not come so far";

export function neverRight({ operation, difference }: { readonly operation: Operation; readonly difference: string | null }): Violation {
  return broken(`by a certificate of seq ${operation.answer?.seq}: ${difference ?? "it was never right while it ran"}`, operation);
}

export function eventText({ seq, kind, userId, position }: LedgerEvent): string {
  return [seq === 0 ? "" : String(seq), kind, userId ?? "", position === null ? "" : `#${position}`]
    .filter((part) => part !== "")
    .join(" ");
}

export function broken(what: string, ...operations: readonly (Operation | undefined)[]): Violation {
  return { what, operations: operations.filter((operation) => operation !== undefined) };
}
