// Unique attempt ids for requests.

let isolate: string | null = null;
let count = 0;

/**
 * Returns an id that no other request has: 64 random bits for the isolate, and a count. It is not secret. A
 * UUID for each request costs ten times as much. Random values exist only within a request.
 */
export function nextAttemptId(): string {
  isolate ??= randomHex();
  count += 1;
  return `${isolate}-${count.toString(36)}`;
}

/** Returns 16 random hex digits of a UUID. The digits of its version and variant are left out. */
function randomHex(): string {
  const uuid = crypto.randomUUID();
  return uuid.slice(0, 4) + uuid.slice(-12);
}
