// Formats as pure functions: cells of CSV.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { csv } from "../../src/http/claim-export.ts";

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
    const line = csv("C")([claim], false, true);
    expect(line).not.toMatch(/[\u2028\u2029]|^C,"?\s*[=-]|;[\s"]*[=-]/);
    expect(readBack(line)).toBe(userId);
  });
  fc.assert(property, { numRuns: 3_000 });
});
