// Facts that must hold. They stay on in production: a broken one stops the object before it can answer wrongly.

/** A fact that had to hold did not. Never caught to go on: the object that sees one is aborted. */
export class BrokenAssertion extends Error {
  override readonly name = "BrokenAssertion";
}

/** Throws {@link BrokenAssertion} with `fact`, one sentence in words, unless `holds`. */
export function assert(holds: boolean, fact: string): asserts holds {
  if (!holds) throw new BrokenAssertion(fact);
}
