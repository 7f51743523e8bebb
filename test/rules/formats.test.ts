// Formats as pure functions: cells of CSV, the choice of a media type, keys.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { preferredType } from "../../src/http/accept.ts";
import { csv } from "../../src/http/claim-export.ts";
import { idempotencyKeyIn } from "../../src/http/request.ts";

/** The user id that a reader of the CSV gets, if it reverses what docs/api.md says. */
function readBack(line: string): string {
  const [, quoted, bare = ""] = /^C,(?:"((?:[^"]|"")*)"|([^",]*)),1,[^,]+\r\n$/.exec(line) ?? [];
  const cell = quoted?.replaceAll('""', '"') ?? bare;
  const escapes = /\\u(005c|2028|2029)/g;
  return cell.replaceAll(/(^|;)'/g, "$1").replaceAll(escapes, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

test("a CSV cell has one line, runs no formula, and reads back as its text", () => {
  const part = fc.constantFrom("'", ";", "=", "-", '"', " ", ",", "\\", "u", "2028", "005c", "\u2028", "\u2029", "\\u2028", "a");
  const property = fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
    const userId = parts.join("");
    const claim = { userId, position: 1, claimedAt: 0, remainingAfter: 0, key: null, attemptId: "a" };
    const line = csv("C")([claim], false);
    expect(line).not.toMatch(/[\u2028\u2029]|^C,"?\s*[=-]|;[\s"]*[=-]/);
    expect(readBack(line)).toBe(userId);
  });
  fc.assert(property, { numRuns: 3_000 });
});

const [JSON_TYPE, CSV, NDJSON] = ["application/json", "text/csv", "application/x-ndjson"];

test.for([
  [null, JSON_TYPE],
  ["", JSON_TYPE],
  ["*/*", JSON_TYPE],
  ["Text/CSV; charset=utf-8", CSV],
  ["text/html, text/csv", CSV],
  ["text/*", CSV],
  ["text/csv, */*", CSV],
  ["text/csv, application/json", CSV],
  ["application/json, text/csv;q=0.5", JSON_TYPE],
  ["text/csv;q=0.5, application/x-ndjson", NDJSON],
  ["application/*;q=0.1, text/csv;q=0.2", CSV],
  ["text/csv;q=0.5, */*;q=0.9", JSON_TYPE],
  ["application/*;q=0.2, application/json;q=0.1, application/x-ndjson", NDJSON],
  ["text/csv;q=0, */*", JSON_TYPE],
  ["application/json;Q=0, */*;q=0.1, text/csv;q=0", NDJSON],
  ["text/csv;q=0", JSON_TYPE],
  ["text/csv; q=nonsense", JSON_TYPE],
] as const)("of three media types, Accept: %s prefers %s", ([accept, preferred]) => {
  expect(preferredType(accept, [JSON_TYPE, CSV, NDJSON])).toBe(preferred);
});

test.for([
  [null, null],
  ["order-77", "order-77"],
  ['"order-77"', "order-77"],
  ['"two words"', "two words"],
  [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
  [String.raw`a"b\c`, String.raw`a"b\c`],
  [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
  [`"${"k".repeat(256)}"`, undefined],
  ['"', undefined],
  ['""', undefined],
  ['"a"b"', undefined],
  [String.raw`"a\b"`, undefined],
  [String.raw`"a\"`, undefined],
  ['"é"', undefined],
  ["two words", undefined],
  ["", undefined],
] as const)("an Idempotency-Key of %s is read as %s", ([sent, key]) => {
  expect(idempotencyKeyIn(sent)).toBe(key);
});
