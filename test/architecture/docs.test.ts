// The documents are complete, and every file and link that they name exists.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, test } from "vitest";

import { REFUSAL_CODES } from "../../src/domain/refusals.ts";
import { REFUSALS } from "../../src/http/refusals.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(document: string): string[] {
  const headings = read(document).match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, "")
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe.for(DOCUMENTS)("%s", (document) => {
  test(`${document} names only files that exist`, () => {
    const named = Array.from(read(document).matchAll(/\b(?:src|test|verification|bench|docs)\/[\w./-]+\.(?:ts|md)\b/g), ([path]) => path);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test(`${document} links only to files and headings that exist`, () => {
    const links = Array.from(read(document).matchAll(/\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)/g));
    const broken = links.filter(([, path = "", anchor]) => {
      const target = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

/** The entries of the first column of a document's tables: `` `a`, `b` `` are two. */
function entriesOf(markdown: string): string[] {
  return Array.from(markdown.matchAll(/^\| (`[^|]*) \|/gm), ([, cell = ""]) => cell).flatMap((cell) =>
    Array.from(cell.matchAll(/`([^`]+)`/g), ([, entry = ""]) => entry),
  );
}

/** Expects each of `names` to be in the first column of a table exactly once. */
function expectOnce(markdown: string, names: readonly string[]): void {
  const entries = entriesOf(markdown);
  expect(names.length).toBeGreaterThan(5);
  expect(names.map((name) => [name, entries.filter((entry) => entry === name).length])).toEqual(names.map((name) => [name, 1]));
}

const api = read("docs/api.md");

test("docs/api.md documents every refusal exactly once, with its status", () => {
  expectOnce(api, REFUSAL_CODES);
  const rows = Array.from(api.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm), ([, code, status]) => [code, Number(status)]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(Object.entries(REFUSALS).map(([code, { status }]) => [code, status])));
});

test("docs/api.md documents every route exactly once", () => {
  const declared = readdirSync(join(ROOT, "src/http/routes")).flatMap((file) =>
    Array.from(read(`src/http/routes/${file}`).matchAll(/method: "(\w+)",\s*path: "([^"]+)"/g), ([, method, path]) => `${method} ${path}`),
  );
  expect(declared.length).toBeGreaterThan(15);
  expectOnce(api, [...declared, "GET /openapi.json"]);
});

test("docs/api.md documents every variable, secret and binding exactly once", () => {
  const names = Array.from(read("src/edge/env.ts").matchAll(/^ {2}readonly ([A-Z][A-Z0-9_]+)\??:/gm), ([, name = ""]) => name);
  expectOnce(api, names);
});

test("CONTRIBUTING.md documents every npm script exactly once", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  expectOnce(read("CONTRIBUTING.md"), Object.keys(scripts));
});

test("the check of entries finds a missing and a repeated entry", () => {
  const names = ["ADMIN_TOKEN", "RATE_LIMIT", "COUPONS", "REQUEST_LOG", "ADMIN_AUTH", "LOCATION_HINT"];
  expect(() => expectOnce(api, names)).not.toThrow();
  expect(() => expectOnce(api.replace("| `ADMIN_AUTH` |", "| ADMIN_AUTH |"), names)).toThrow("to deeply equal");
  expect(() => expectOnce(`${api}\n| \`COUPONS\` | again |\n`, names)).toThrow("to deeply equal");
});
