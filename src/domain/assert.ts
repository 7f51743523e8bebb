// Assertions. They stay on in production: a failed one stops the object before it can answer wrongly.

/** A failed assertion. Never catch it and go on: the object must be aborted. */
export class BrokenAssertion extends Error {
  override readonly name = "BrokenAssertion";
}

/** Throws {@link BrokenAssertion} with `fact`, one sentence in words, unless `holds`. */
export function assert(holds: boolean, fact: string): asserts holds {
  if (!holds) throw new BrokenAssertion(fact);
}
