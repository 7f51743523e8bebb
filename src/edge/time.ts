// Time in an isolate, whose clock can go back.

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether something is less than `ms` milliseconds old. A clock that went back shows an age that can't be: then nothing is. */
export function isWithin(ageMs: number, ms: number): boolean {
  return ageMs >= 0 && ageMs < ms;
}
