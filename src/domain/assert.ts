// Assertions. They stay on in production: a broken one stops the object before it can answer wrongly.

/** An assertion failed. It is never caught to go on: the object is aborted. */
export class BrokenAssertion extends Error {
  override readonly name = "BrokenAssertion";
}

/** Throws {@link BrokenAssertion} with `fact`, one sentence in words, unless `holds`. */
export function assert(holds: boolean, fact: string): asserts holds {
  if (!holds) throw new BrokenAssertion(fact);
}
