// Time in an isolate. Its clock can be set back.

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether an age is less than `ms` milliseconds. False if it is negative, after a clock was set back. */
export function isWithin(ageMs: number, ms: number): boolean {
  return ageMs >= 0 && ageMs < ms;
}
