// JSON of the server. Its schemas promise the types, and test/rules/client-types.test.ts compares the types with them.

/** Parses a body of the server as what the route is documented to answer. Throws if it is no JSON. */
export function parsed<T>(text: string): T;
export function parsed(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return value;
}

/** Parses a body that may be of something else than the server. Returns null if it is no JSON. */
export function jsonIn(text: string): unknown {
  try {
    return parsed<unknown>(text);
  } catch {
    return null;
  }
}
