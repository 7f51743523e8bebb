// The claims and holds of this isolate that the coupon has not answered yet.

import { CALL_DEADLINE_MS } from "../domain/limits.ts";

/** For each coupon, how many calls are open. A coupon without any is not in it. */
type OpenCalls = Map<string, number>;

/**
 * The open calls of the current period, and those of the one before. A period is as long as a call's deadline. So an
 * older call has ended, or its caller has left: the platform then ends the request, and nothing counts its end.
 */
let current: OpenCalls = new Map();
let previous: OpenCalls = new Map();
let currentSince = 0;

/** Returns how many calls of coupon `name` are open at `now`. */
export function openCount(name: string, now: number): number {
  age(now);
  return (current.get(name) ?? 0) + (previous.get(name) ?? 0);
}

/** Counts a call of coupon `name` at `now` as open. Returns the function that counts its end. */
export function countOpen(name: string, now: number): () => void {
  age(now);
  const calls = current;
  calls.set(name, (calls.get(name) ?? 0) + 1);
  return () => {
    const count = (calls.get(name) ?? 0) - 1;
    if (count > 0) calls.set(name, count);
    else calls.delete(name);
  };
}

/** Drops the calls that are too old. A clock that goes back makes all of them old. */
function age(now: number): void {
  const ageMs = now - currentSince;
  if (ageMs >= 0 && ageMs < CALL_DEADLINE_MS) return;
  previous = ageMs >= CALL_DEADLINE_MS && ageMs < 2 * CALL_DEADLINE_MS ? current : new Map();
  current = new Map();
  currentSince = now;
}
