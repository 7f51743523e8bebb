// Bodies for an operation: right ones, wrong fields, broken bytes, and sizes and depths at and beyond the bounds.

import * as fc from "fast-check";

import type { Document, Schema } from "./document.ts";
import { NASTY_FIELDS, NASTY_TEXTS, NASTY_TOKENS } from "./nasty-values.ts";
import { entriesFor, type Entries } from "./values.ts";

/** How deep the deepest bodies are. */
const DEPTH_MAX = 10_000;
/** Where the largest bodies that are taken end, in bytes, as the README says. */
const SIZES = [16 * 1024, 1024 * 1024] as const;

type Change = {
  readonly kind: "drop" | "rename" | "repeat" | "replace" | "add";
  readonly at: number;
  readonly field: string;
  readonly json: string;
};
type Edit = { readonly kind: "flip" | "insert" | "remove" | "cut"; readonly at: number; readonly byte: number };

/** A value of the wrong kind, or a stranger one. */
const token = fc.oneof(
  fc.constantFrom("null", "true", "1", '""', "[]", "{}"),
  fc.constantFrom(...NASTY_TOKENS),
  fc.constantFrom(...NASTY_TEXTS).map((text) => JSON.stringify(text)),
);

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("replace", "drop", "rename", "repeat", "add"),
  at: fc.nat(9),
  field: fc.constantFrom(...NASTY_FIELDS),
  json: token,
});

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("flip", "insert", "remove", "cut"),
  at: fc.nat(400),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x22, 0x5c, 0x7b, 0x7d, 0x80, 0xc0, 0xed, 0xff)),
});

/** Bodies, as bytes in a string, for an operation whose body `schema` describes. */
export function bodyFor(document: Document, schema: Schema): fc.Arbitrary<string> {
  const entries = entriesFor(document, schema);
  const right = entries.map((fields) => bytesOf(written(fields)));
  return fc.oneof(
    { weight: 300, arbitrary: right },
    {
      weight: 150,
      arbitrary: fc
        .tuple(entries, fc.array(change, { minLength: 1, maxLength: 3 }))
        .map(([fields, changes]) => bytesOf(written(changes.reduce(changed, fields)))),
    },
    {
      weight: 70,
      arbitrary: fc.tuple(right, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => edits.reduce(edited, bytes)),
    },
    { weight: 20, arbitrary: token.map(bytesOf) },
    { weight: 15, arbitrary: junk },
    { weight: 10, arbitrary: fc.tuple(fc.constantFrom("[", '{"a":', '{"user_id":[', "[[],"), fc.nat(DEPTH_MAX), fc.boolean()).map(deep) },
    { weight: 10, arbitrary: sized(entries, SIZES[0]) },
    { weight: 3, arbitrary: sized(entries, SIZES[1]) },
  );
}

/** What no JSON at all looks like, and JSON in other clothes. */
const junk: fc.Arbitrary<string> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.constantFrom(
    "",
    " ",
    "\0",
    "user_id=user-1&coupon_name=fuzz-open-1",
    "<claim/>",
    '\xef\xbb\xbf{"user_id":"user-1"}',
    "\xff\xfe{\0}\0",
    "{}{}",
    "{} x",
    "//\n{}",
  ),
);

function written(entries: Entries): string {
  return `{${entries.map(([field, json]) => `${JSON.stringify(field)}:${json}`).join(",")}}`;
}

function changed(entries: Entries, { kind, at, field, json }: Change): Entries {
  const index = entries.length === 0 ? 0 : at % entries.length;
  const [name, value] = entries[index] ?? [field, json];
  switch (kind) {
    case "drop":
      return entries.toSpliced(index, 1);
    case "rename":
      return entries.toSpliced(index, 1, [field, value]);
    case "replace":
      return entries.toSpliced(index, 1, [name, json]);
    case "repeat":
      return [...entries, [name, json]];
    default:
      return [...entries, [field, json]];
  }
}

function edited(bytes: string, { kind, at, byte }: Edit): string {
  const index = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, after] = [bytes.slice(0, index), bytes.slice(index + 1)];
  switch (kind) {
    case "flip":
      return before + String.fromCharCode(byte) + after;
    case "insert":
      return before + String.fromCharCode(byte) + bytes.slice(index);
    case "remove":
      return before + after;
    default:
      return before;
  }
}

function deep([opening, depth, isClosed]: readonly [string, number, boolean]): string {
  const closing = Array.from(opening, (letter) => ({ "[": "]", "{": "}" })[letter] ?? "")
    .toReversed()
    .join("");
  return opening.repeat(depth) + (isClosed ? `1${closing.repeat(depth)}` : "");
}

/** Right bodies that are filled up, by a field that is ignored or by blanks, to just below, at, or above `size` bytes. */
function sized(entries: fc.Arbitrary<Entries>, size: number): fc.Arbitrary<string> {
  return fc.tuple(entries, fc.integer({ min: -2, max: 2 }), fc.boolean()).map(([fields, delta, isBlank]) => {
    const bytes = bytesOf(written(isBlank ? fields : [...fields, ["padding", '""']]));
    const missing = Math.max(0, size + delta - bytes.length);
    return isBlank ? bytes + " ".repeat(missing) : `${bytes.slice(0, -2)}${"x".repeat(missing)}"}`;
  });
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}
