// Request bodies: valid ones, wrong fields, broken bytes, and sizes and depths at and beyond the bounds.

import * as fc from "fast-check";

import type { Document, Schema } from "./document.ts";
import { HOSTILE_FIELDS, HOSTILE_TEXTS, HOSTILE_TOKENS } from "./hostile-values.ts";
import { entriesFor, type Entries } from "./values.ts";

/** Levels of the deepest bodies. */
const DEPTH_MAX = 10_000;
/** The largest bodies that routes accept, in bytes (`limits.ts`). */
const SIZES = [16 * 1024, 1024 * 1024] as const;

/** Replaces `removed` parts from `at` on by `added`. */
type Splice<Part> = { readonly at: number; readonly removed: number; readonly added: readonly Part[] };

const token = fc.oneof(
  fc.constantFrom("null", "true", "1", '""', "[]", "{}"),
  fc.constantFrom(...HOSTILE_TOKENS),
  fc.constantFrom(...HOSTILE_TEXTS).map((text) => JSON.stringify(text)),
);

const strangeField = fc.tuple(fc.constantFrom(...HOSTILE_FIELDS), token);
const strangeByte = fc.oneof(
  fc.nat(255).map((code) => String.fromCharCode(code)),
  fc.constantFrom(...Array.from('\0"\\{}\x80\xc0\xed\xff')),
);

function splices<Part>(part: fc.Arbitrary<Part>, atMax: number): fc.Arbitrary<Splice<Part>[]> {
  const one = fc.record({ at: fc.nat(atMax), removed: fc.constantFrom(0, 1, 1, Infinity), added: fc.array(part, { maxLength: 1 }) });
  return fc.array(one, { minLength: 1, maxLength: 3 });
}

function spliced<Part>(parts: readonly Part[], { at, removed, added }: Splice<Part>): readonly Part[] {
  return parts.toSpliced(parts.length === 0 ? 0 : at % parts.length, removed, ...added);
}

/** Bodies, as bytes in a string, for an operation whose body `schema` describes. */
export function bodyFor(document: Document, schema: Schema): fc.Arbitrary<string> {
  const entries = entriesFor(document, schema);
  const valid = entries.map((fields) => bytesOf(written(fields)));
  // Its value is hostile under its own name: the field itself is known and required.
  const retyped = fc.tuple(entries, fc.nat(9), token).map(([fields, at, json]) => replaced(fields, at, json));
  const bent = fc.tuple(entries, splices(strangeField, 9)).map(([fields, changes]) => changes.reduce(spliced<Entries[number]>, fields));
  const repeated = entries.map((fields) => [...fields, ...fields.slice(0, 1)]);
  const broken = fc
    .tuple(valid, splices(strangeByte, 400))
    .map(([bytes, edits]) => edits.reduce(spliced<string>, Array.from(bytes)).join(""));
  return fc.oneof(
    { weight: 300, arbitrary: valid },
    { weight: 150, arbitrary: fc.oneof(retyped, bent, repeated).map((fields) => bytesOf(written(fields))) },
    { weight: 70, arbitrary: broken },
    { weight: 20, arbitrary: token.map(bytesOf) },
    { weight: 15, arbitrary: junk },
    { weight: 10, arbitrary: fc.tuple(fc.constantFrom("[", '{"a":', '{"user_id":[', "[[],"), fc.nat(DEPTH_MAX), fc.boolean()).map(deep) },
    { weight: 10, arbitrary: sized(entries, SIZES[0]) },
    { weight: 3, arbitrary: sized(entries, SIZES[1]) },
  );
}

/** Bytes that are not JSON, and JSON in an envelope. */
const junk: fc.Arbitrary<string> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.constantFrom("", " ", "\0", "user_id=user-1&coupon_name=fuzz-open-1", "<claim/>", "{}{}", "{} x", "//\n{}"),
  fc.constantFrom('\xef\xbb\xbf{"user_id":"user-1"}', "\xff\xfe{\0}\0"),
);

function written(entries: Entries): string {
  return `{${entries.map(([field, json]) => `${JSON.stringify(field)}:${json}`).join(",")}}`;
}

function replaced(entries: Entries, at: number, json: string): Entries {
  const index = at % Math.max(1, entries.length);
  return entries.map(([field, before], place) => [field, place === index ? json : before]);
}

function deep([opening, depth, isClosed]: readonly [string, number, boolean]): string {
  const closing = Array.from(opening, (letter) => ({ "[": "]", "{": "}" })[letter] ?? "").toReversed();
  return opening.repeat(depth) + (isClosed ? `1${closing.join("").repeat(depth)}` : "");
}

/** Valid bodies that an unknown field or blanks fill to just below, at, or above `size` bytes. */
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
