// The documents name files that exist.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, test } from "vitest";

import { REFUSAL_CODES } from "../../src/domain/refusals.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

function read(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

describe.for(DOCUMENTS)("%s", (document) => {
  test("names only files that exist", () => {
    const named = Array.from(read(document).matchAll(/\b(?:src|test|verification|bench|docs)\/[\w./-]+\.(?:ts|md)\b/g), ([path]) => path);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("links only to files that exist", () => {
    const linked = Array.from(read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g), ([, path]) => path ?? "");
    expect(linked.filter((path) => !existsSync(join(ROOT, dirname(document), path)))).toEqual([]);
  });
});

test("the README names every npm script", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const readme = read("README.md");
  expect(Object.keys(scripts).filter((script) => !readme.includes(script))).toEqual([]);
});

test("the README names every refusal", () => {
  const readme = read("README.md");
  expect(REFUSAL_CODES.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});
