// Virtual time: the clock and all timers stand still until a test moves them.

import { afterEach, beforeEach, vi } from "vitest";

import { T0 } from "./coupon.ts";

/** Starts every test of a file or a `describe` at T0. Restores spies, too. */
export function useVirtualTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: T0 });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

/** Moves the clock on, and runs every timer that is due by then. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
