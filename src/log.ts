// The one way to write a log line: a JSON object whose first field is the event's name.

/** Writes a line about an expected event. */
export function log(line: { readonly event: string; readonly [field: string]: unknown }): void {
  // A claim writes one line, and a copy of its fields costs as much as the text.
  console.log(JSON.stringify(line));
}

/** Writes a line about a failure. The line has `cause` as text. */
export function logFailure(event: string, { cause, ...fields }: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ event, ...fields, cause: String(cause) }));
}
