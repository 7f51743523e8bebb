// The one way to write a log line: a JSON object whose first field is the event's name.

/** Writes a line about an expected event. */
export function log(event: string, fields: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/** Writes a line about a failure. The line has `cause` as text. */
export function logFailure(event: string, { cause, ...fields }: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ event, ...fields, cause: String(cause) }));
}
