// Examples of bodies, made from the examples of their fields.

export type Json = Record<string, unknown>;

/** Returns the example of `schema`, or one made from its parts. `schemas` are the named ones. */
export function exampleOf(schema: unknown, schemas: Json): unknown {
  const { $ref, examples, const: constant, enum: values, oneOf, anyOf, allOf, items, properties, type } = recordOf(schema);
  if (typeof $ref === "string") return exampleOf(schemas[$ref.slice($ref.lastIndexOf("/") + 1)], schemas);
  if (Array.isArray(examples)) return examples[0];
  if (constant !== undefined) return constant;
  if (Array.isArray(values)) return values[0];
  const choices: unknown[] = [oneOf, anyOf, allOf].filter(Array.isArray).flat();
  if (choices.length > 0) return exampleOf(choices[0], schemas);
  if (items !== undefined) return [exampleOf(items, schemas)];
  if (type === "boolean") return false;
  if (properties === undefined) return type === "object" ? {} : null;
  return Object.fromEntries(Object.entries(recordOf(properties)).map(([name, property]) => [name, exampleOf(property, schemas)]));
}

/** Returns the fields of an object. Any other value has none. */
export function recordOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
