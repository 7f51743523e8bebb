// Content negotiation (RFC 9110, 12.5.1).

/**
 * Returns the media type of `offered` that the header `Accept` prefers: by weight, then by how exactly the
 * header names it, then by its place in the header. Without an acceptable one, returns the first.
 */
export function preferredType(accept: string | null, offered: readonly string[]): string | undefined {
  const ranges = (accept ?? "*/*").toLowerCase().split(",").map(rangeIn);
  const rated = offered.map((type) => {
    // The most exact range decides the weight of a type.
    const names = [type, `${type.split("/", 1)[0]}/*`, "*/*"];
    const vagueness = names.findIndex((name) => ranges.some((range) => range.name === name));
    const place = ranges.findIndex(({ name }) => name === names[vagueness]);
    return { type, weight: ranges[place]?.weight ?? 0, vagueness, place };
  });
  const acceptable = rated.filter(({ weight }) => weight > 0);
  const [best] = acceptable.sort((a, b) => b.weight - a.weight || a.vagueness - b.vagueness || a.place - b.place);
  return best?.type ?? offered[0];
}

function rangeIn(text: string): { readonly name: string; readonly weight: number } {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { name, weight: weight === undefined ? 1 : Number(weight) || 0 };
}
