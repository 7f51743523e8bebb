// The exceptions of the platform, as a caller of an object gets them.

import { MARKS, type Mark } from "./plan.ts";

/** The exceptions of the platform. */
export const EXCEPTIONS: Readonly<Record<Mark | "turned_away", Error>> = {
  retryable: Object.assign(new Error("network connection lost"), { retryable: true }),
  reset: Object.assign(new Error("the object was reset"), { durableObjectReset: true }),
  out_of_memory: Object.assign(new Error("the object was out of memory"), { overloaded: true, durableObjectReset: true }),
  unmarked: new Error("internal error; reference = 1"),
  own_code: Object.assign(new Error("thrown by the object's own code"), { remote: true, retryable: true, durableObjectReset: true }),
  turned_away: Object.assign(new Error("the object is overloaded"), { overloaded: true, retryable: true }),
};

/** The mark of an exception. */
export function markOf(cause: unknown): Mark {
  return MARKS.find((mark) => EXCEPTIONS[mark] === cause) ?? "unmarked";
}

/** Whether the platform asks for no further call. */
export function isOverloaded(failure: Mark | "turned_away" | null): boolean {
  return failure !== null && "overloaded" in EXCEPTIONS[failure];
}
