// Arbitrary values for a JSON Schema of the document.

import * as fc from "fast-check";

import { COUPON_NAMES, USER_IDS } from "./coupons.ts";
import { resolved, type Document, type Schema } from "./document.ts";
import { HOSTILE_TEXTS } from "./hostile-values.ts";

/** The fields of an object as names and JSON texts. A name can occur twice, and a value can be invalid. */
export type Entries = readonly (readonly [field: string, json: string])[];

const INSTANTS = [
  "2001-01-01T00:00:00Z",
  "2001-01-01t00:00:00.123456789z",
  "2026-11-27T09:00:00+14:00",
  "2099-12-31T23:59:59.999Z",
  "2099-01-01T00:00:00-23:59",
] as const;

const LETTERS = Array.from("abzAZ019 -_.~'é用🎉\u0301\u200d");

const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  // fast-check's own strings take a second to set up.
  { weight: 1, arbitrary: fc.array(fc.nat(0x10ffff), { maxLength: 40 }).map((points) => String.fromCodePoint(...points)) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...LETTERS), { maxLength: 40 }).map((letters) => letters.join("")) },
);

/** The first users occur more often, so that they meet their earlier claims and holds. */
const REGULARS = [...USER_IDS, ...Array.from({ length: 12 }, () => USER_IDS.slice(0, 6)).flat()];

/** Names of coupons and users that exist, texts and paths, by field. */
const KNOWN: ReadonlyMap<string, fc.Arbitrary<string>> = new Map([
  // The last ones do not exist at first.
  ["name", known([...COUPON_NAMES, "later-1", "later-2", "later-3"])],
  ["coupon_name", known(COUPON_NAMES)],
  ["user_id", known(REGULARS)],
  ["user_ids", known(REGULARS)],
  ["coupons", known(COUPON_NAMES)],
  ["coupon", known(COUPON_NAMES)],
  ["title", known(["The winter jacket", "سترة الشتاء", "👟".repeat(255)])],
  ["description", known(["One each.", "Two lines.\nThe second.", "&<>\"'"])],
  ["image_url", known(["/", "/pictures/shoe.jpg", `/${"%20".repeat(341)}`])],
  // No answer comes: no name below .example is in the DNS (RFC 6761).
  ["url", known(["https://fuzz.example/webhooks", "https://fuzz.example:8443/"])],
]);

function known(texts: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...texts) }, { weight: 1, arbitrary: anyText });
}

/** A text for the field or parameter `name`. */
export function textFor(name: string): fc.Arbitrary<string> {
  return KNOWN.get(name) ?? anyText;
}

/** Values that fit `schema` of the field `field`. Throws on an unknown kind of schema. */
export function valueFor(document: Document, schema: Schema, field: string): fc.Arbitrary<unknown> {
  const { type, anyOf, items, enum: listed, minItems = 0, maxItems = 10, ...bounds } = resolved(document, schema);
  if ("const" in bounds) return fc.constant(bounds.const);
  if (listed !== undefined) return fc.constantFrom(...listed);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((one) => valueFor(document, one, field)));
  switch (type) {
    case "string":
      return bounds.format === "date-time" ? fc.constantFrom(...INSTANTS) : fitting(textFor(field), bounds);
    case "integer":
      return integer(bounds);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array": {
      const few = fc.array(valueFor(document, items ?? {}, field), { minLength: minItems, maxLength: Math.min(maxItems, 12) });
      // The full number is rare, because the server takes long to judge it.
      const many = fc.array(fc.constantFrom(...USER_IDS), { minLength: maxItems - 1, maxLength: maxItems + 1, size: "max" });
      return fc.oneof({ weight: 40, arbitrary: few }, { weight: 1, arbitrary: many });
    }
    default:
      throw new Error(`no values for a schema like ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

/** The fields of objects that fit `schema`: the required ones, and some of the others. */
export function entriesFor(document: Document, schema: Schema): fc.Arbitrary<Entries> {
  const { properties = {}, required = [] } = resolved(document, schema);
  const fields = Object.entries(properties).map(([field, of]) => {
    const entry = valueFor(document, of, field).map((value) => [[field, JSON.stringify(value)] as const]);
    return required.includes(field) ? entry : fc.oneof(entry, fc.constant([]));
  });
  return fc.tuple(...fields).map((entries) => entries.flat());
}

/** Mostly texts within the bounds. */
function fitting(texts: fc.Arbitrary<string>, { minLength = 0, maxLength = Infinity }: Schema): fc.Arbitrary<string> {
  return texts.map((text) =>
    text.length < minLength ? text.padEnd(minLength, "x") : text.length > maxLength * 2 ? text.slice(0, maxLength) : text,
  );
}

/** Whole numbers within the bounds, mostly small ones and the bounds themselves. */
function integer({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: minimum, max: Math.min(maximum, minimum + 60) }) },
    { weight: 1, arbitrary: fc.constantFrom(minimum, maximum) },
    { weight: 1, arbitrary: fc.integer({ min: minimum, max: maximum }) },
  );
}
