// The sentence about a name that a route does not know. It suggests the nearest known name.

/** Other words for our names. They are compared without case and punctuation. */
const OTHER_WORDS: Readonly<Record<string, RegExp>> = {
  amount: /^(stock|quantity|qty|units(?!per)|inventory|total)/,
  name: /^code/,
  starts_at: /^(start|begin|open|from)/,
  ends_at: /^(end|until|expir|clos)/,
  title: /^headline/,
  description: /^(text|detail)/,
  image_url: /^(picture|photo)/,
  limit: /^(pagesize|perpage|count)/,
  after: /^(cursor|offset|from)/,
};

/** Returns the fault of `name`, which is none of the `known` ones. `kind` is what they are. */
export function unknownFault(name: string, known: readonly string[], kind: "body fields" | "query parameters"): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `is unknown: did you mean ${nearest}?`;
  return `is unknown: this route takes ${known.length === 0 ? `no ${kind}` : `the ${kind} ${known.join(", ")}`}`;
}

function nearestName(name: string, known: readonly string[]): string | undefined {
  const sent = lettersOf(name);
  const byLength = known.toSorted((a, b) => a.length - b.length);
  const candidates = byLength.map((one) => ({ one, letters: lettersOf(one) }));
  const found =
    [0, 1, 2].flatMap((edits) => candidates.filter(({ letters }) => edits <= letters.length / 3 && isWithin(edits, sent, letters)))[0] ??
    candidates.find(({ letters }) => sent.includes(letters) || (sent.length > 2 && letters.startsWith(sent)));
  return found?.one ?? known.find((one) => OTHER_WORDS[one]?.test(sent));
}

function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Whether at most `edits` letters are added, left out, wrong, or swapped with the next one. */
function isWithin(edits: number, a: string, b: string): boolean {
  if (a === b) return true;
  if (edits > 0 && a.charAt(0) === b.charAt(1) && a.charAt(1) === b.charAt(0) && isWithin(edits - 1, a.slice(2), b.slice(2))) return true;
  if (a !== "" && a.charAt(0) === b.charAt(0)) return isWithin(edits, a.slice(1), b.slice(1));
  return (
    edits > 0 && (isWithin(edits - 1, a.slice(1), b) || isWithin(edits - 1, a, b.slice(1)) || isWithin(edits - 1, a.slice(1), b.slice(1)))
  );
}
