// The clock of the Worker and its objects, controlled by a test.

import { onTestFinished, vi } from "vitest";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/**
 * The instant at which tests run their sales. It is far ahead of the platform's own clock, which no test can
 * set. So an alarm that is due then never runs by itself.
 */
export const T0 = Date.parse("2031-03-01T12:00:00.000Z");

export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** Stops the clock at `at` until the end of the test. Timers go on. */
export function setClock(at: number): void {
  if (!vi.isFakeTimers()) useFakeTimers(["Date"]);
  vi.setSystemTime(at);
}

/** Moves the stopped clock on. */
export function passClock(ms: number): void {
  setClock(Date.now() + ms);
}

/** Stops the clock and all timers until the end of the test. Returns how to pass time and run due timers. */
export function stopTime(): (ms: number) => Promise<unknown> {
  useFakeTimers(["Date", "setTimeout", "clearTimeout"]);
  return (ms) => vi.advanceTimersByTimeAsync(ms);
}

function useFakeTimers(toFake: ("Date" | "setTimeout" | "clearTimeout")[]): void {
  vi.useFakeTimers({ toFake });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}
