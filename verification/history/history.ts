// A recorded history: the requests about one coupon, their answers, and the ledger.

import type { Answer, Call, LedgerEvent } from "../model/types.ts";

/** One request. A retry is an operation of its own, and so is a duplicate that the network made. */
export type Operation = {
  readonly call: Call;
  /** The name of the client, for the printed history. */
  readonly client: string;
  /** When it was sent and when its answer arrived, by one monotonic clock. */
  readonly startedAt: number;
  /** Null without an answer. */
  readonly endedAt: number | null;
  /**
   * The coupon's own clock, in epoch milliseconds: not before the start, and, with an answer, not after the
   * end.
   */
  readonly clockFrom: number;
  readonly clockUntil: number | null;
  /** The Worker's name for the request, the same over its own retries; null where it is not known. */
  readonly attempt: string | null;
  /** Null where the outcome is unknown: the request may have its effect, now or later, or never. */
  readonly answer: Answer | null;
};

export type History = {
  readonly operations: readonly Operation[];
  /** The ledgers of all incarnations, in order. */
  readonly events: readonly LedgerEvent[];
  /**
   * A `client` is behind the Worker, which may deliver a repeatable call three times and does not call a
   * claim of its own first delivery a replay. At the `object`, each delivery is an operation.
   */
  readonly seenFrom: "client" | "object";
  /** False if the object's clock was set back. */
  readonly isClockSteady: boolean;
};

/** Whether an answer says that the call never has an effect. */
export function isWithoutEffect({ is }: Answer): boolean {
  return is === "unavailable" || is === "undelivered";
}

/** Why a history is not one of a correct coupon. */
export type Violation = { readonly what: string; readonly operations: readonly Operation[] };
