// The clock of the Worker and its objects, held by a test. Timers go on as ever.

import { onTestFinished, vi } from "vitest";

export type HeldClock = { readonly pass: (ms: number) => void; readonly set: (instant: string) => void };

/** Holds the clock, at `instant` or where it is, until the end of the test; answers how to move it. */
export function heldClock(instant?: string): HeldClock {
  vi.useFakeTimers({ toFake: ["Date"], ...(instant === undefined ? {} : { now: new Date(instant) }) });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return {
    pass: (ms) => vi.setSystemTime(Date.now() + ms),
    set: (next) => vi.setSystemTime(new Date(next)),
  };
}
