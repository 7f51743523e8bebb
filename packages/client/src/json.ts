// JSON of the server. Its schemas promise the types, and test/rules/client-types.test.ts compares the types with them.

/** Parses a body of the server as what the route is documented to answer. Throws if it is no JSON. */
export function parsed<T>(text: string): T;
export function parsed(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return value;
}

/** Returns the object in an answer, or null where none comes. Throws if it has something else. */
export async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  const isEmpty = text === "" && (response.status === 202 || response.status === 204);
  if (!isEmpty && !isObject(parsed(text))) throw new TypeError("the answer is no object");
  return parsed<T>(isEmpty ? "null" : text);
}

/** Says whether a value is an object, and no list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a body that may be of something else than the server. Returns null if it is no JSON. */
export function jsonIn(text: string): unknown {
  try {
    return parsed<unknown>(text);
  } catch {
    return null;
  }
}
