// Which texts are valid names and user ids, over random Unicode, compared with an independent reading of the contract.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { descriptionFault, isImagePath, nameFault, textFault, titleFault, type TextFault } from "../../src/domain/names.ts";

function isLoneSurrogate(point: string): boolean {
  return point.length === 1 && point >= "\ud800" && point <= "\udfff";
}

/** The contract, clause by clause: 1 to 255 code points, not blank, well-formed, no control characters. */
function faultsOf(text: string): ReadonlySet<TextFault> {
  const points = Array.from(text);
  const faults = new Set<TextFault>();
  if (points.length === 0) faults.add("empty");
  if (points.length > 0 && points.every((point) => /^\s$/u.test(point))) faults.add("blank");
  if (points.length > 255) faults.add("too_long");
  if (points.some((point) => /^\p{Cc}$/u.test(point) || isLoneSurrogate(point))) faults.add("malformed");
  return faults;
}

const ORDER = ["empty", "blank", "too_long", "malformed"] as const satisfies readonly TextFault[];

function expectedFault(text: string): TextFault | null {
  const faults = faultsOf(text);
  return ORDER.find((fault) => faults.has(fault)) ?? null;
}

const loneSurrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit));
const control = fc.oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0x9f })).map((unit) => String.fromCharCode(unit));
const space = fc.constantFrom(" ", "\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff");
const point = fc.string({ unit: "binary", minLength: 1, maxLength: 1 });
const unit = fc.oneof(
  { weight: 40, arbitrary: point },
  { weight: 40, arbitrary: fc.constantFrom("a", "Z", "é", "e\u0301", "用", "🎉", "👩‍👩‍👧", "/", "%", "\u200b", "\u202e", "'", '"', "\\") },
  { weight: 10, arbitrary: space },
  { weight: 1, arbitrary: control },
  { weight: 1, arbitrary: loneSurrogate },
);

const NASTY = {
  "short strings": fc.string({ unit, maxLength: 12 }),
  "strings around the longest": fc.string({ unit: fc.oneof(fc.constantFrom("a", "🎉"), unit), minLength: 250, maxLength: 260 }),
  "long strings of wide characters": fc.string({ unit: fc.constantFrom("🎉", "\u{10ffff}", "a"), minLength: 240, maxLength: 530 }),
  "very long strings": fc.string({ unit: fc.constantFrom("a", "🎉", "\ud800"), minLength: 500, maxLength: 1200 }),
  "texts of white space": fc.string({ unit: space, maxLength: 300 }),
  "arbitrary sequences of UTF-16 units": fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
} as const;

test.for(Object.entries(NASTY))("%s are valid or invalid as the contract says", ([, text]) => {
  fc.assert(
    fc.property(text, (value) => {
      expect(textFault(value)).toBe(expectedFault(value));
      expect(nameFault(value)).toBe(value === "." || value === ".." ? "malformed" : expectedFault(value));
    }),
    { numRuns: 1000 },
  );
});

test("every single code point is valid or invalid as the contract says", () => {
  const disagreeing: string[] = [];
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const text = String.fromCodePoint(code);
    if (textFault(text) !== expectedFault(text)) disagreeing.push(code.toString(16));
  }
  expect(disagreeing).toEqual([]);
});

test("the names . and .. are malformed for coupons and valid for users", () => {
  expect([".", "..", "...", ". .", "a/..", "100%"].map(nameFault)).toEqual(["malformed", "malformed", null, null, null, null]);
  expect([".", ".."].map(textFault)).toEqual([null, null]);
});

test.for<[text: string, title: TextFault | null, description: TextFault | null]>([
  ["a", null, null],
  ["", "blank", "blank"],
  [" \n\t", "blank", "blank"],
  ["🎉".repeat(255), null, null],
  ["🎉".repeat(256), "too_long", null],
  ["🎉".repeat(2000), "too_long", null],
  ["🎉".repeat(2001), "too_long", "too_long"],
  ["a\r\n\tb", "malformed", null],
  ["a\u0000b", "malformed", "malformed"],
  ["a\u0085b", "malformed", "malformed"],
  ["a\ud83d", "malformed", "malformed"],
  [`a\ud83d\n\udf89`, "malformed", "malformed"],
  ["<b>\u202e\u2028</b>", null, null],
])("as a title, %j is %s, and as a description %s", ([text, title, description]) => {
  expect([titleFault(text), descriptionFault(text)]).toEqual([title, description]);
});

test.for<[path: string, isPath: boolean]>([
  ["/pictures/shoe.jpg?v=2#top", true],
  ["/", true],
  [`/${"a".repeat(1023)}`, true],
  [`/${"a".repeat(1024)}`, false],
  ...["", "shoe.jpg", "//evil.example/a", "/\\evil.example/a", "/a\\b", "/\t/evil.example", "/a b", "/é", "https://evil.example/a"].map(
    (path): [string, boolean] => [path, false],
  ),
  ["javascript:alert(1)", false],
])("as a picture's path, %j is valid: %s", ([path, isPath]) => {
  expect(isImagePath(path)).toBe(isPath);
  expect(new URL(isPath ? path : "/", "https://shop.example").origin).toBe("https://shop.example");
});
