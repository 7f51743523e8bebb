// A recorded history: what clients asked of one coupon, when, what they were answered, and the ledger that is left of it.

import type { Answer, Call, LedgerEvent } from "../model/types.ts";

/** One request. A retry, or a duplicate that the network made, is an operation of its own. */
export type Operation = {
  readonly call: Call;
  /** Who asked, for the trace. */
  readonly client: string;
  /** When it was sent and when its answer had arrived, by one clock that only goes forward. */
  readonly startedAt: number;
  /** Null where nobody heard the answer; without an answer, when somebody stopped listening means nothing. */
  readonly endedAt: number | null;
  /** The coupon's own clock, in epoch milliseconds: not before the one, and, where the answer was heard, not after the other. */
  readonly clockFrom: number;
  readonly clockUntil: number | null;
  /** The name that the Worker gave to the request, the same over its own retries; null where it is not known. */
  readonly attempt: string | null;
  /** Null where the outcome is unknown: it may have happened, may not, and may happen later. */
  readonly answer: Answer | null;
};

export type History = {
  readonly operations: readonly Operation[];
  /** All that happened, through all incarnations of the coupon, in order. */
  readonly events: readonly LedgerEvent[];
  /**
   * Who recorded it. A `client` is behind the Worker, which may deliver a repeatable call up to three times and does not call
   * what it then finds a replay. The `object` is asked directly: each delivery is an operation.
   */
  readonly seenFrom: "client" | "object";
  /** False where the object's clock was set back in between. */
  readonly isClockSteady: boolean;
};

/** Whether an answer says that nothing happened, nor ever will: then nothing else is to be learnt from it. */
export function isWithoutEffect({ is }: Answer): boolean {
  return is === "unavailable" || is === "undelivered";
}

/** Why a history is not one of a correct coupon. */
export type Violation = { readonly what: string; readonly operations: readonly Operation[] };
