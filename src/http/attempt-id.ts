// Names for requests, of which no two are the same.

let isolate: string | null = null;
let count = 0;

/**
 * A name that no other request has: 64 random bits that name the isolate, and a count. It is no secret. A random UUID for each
 * request would cost ten times as much. Nothing random can be drawn before the first request.
 */
export function nextAttemptId(): string {
  isolate ??= randomHex();
  count += 1;
  return `${isolate}-${count.toString(36)}`;
}

/** 16 hex digits of a UUID that are random all: its version and variant stand between them. */
function randomHex(): string {
  const uuid = crypto.randomUUID();
  return uuid.slice(0, 4) + uuid.slice(-12);
}
