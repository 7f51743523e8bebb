// The documents name what exists, and their tables are complete: each route, refusal, variable and script stands there once, as it is.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, test } from "vitest";
import * as z from "zod";

import { COMMANDS } from "../../packages/cli/src/commands.ts";
import { WEBHOOK_EVENTS } from "../../src/domain/webhook-events.ts";
import { REFUSALS } from "../../src/http/refusals.ts";
import type { Route, Who } from "../../src/http/route.ts";
import * as backup from "../../src/http/routes/backup.ts";
import * as claims from "../../src/http/routes/claims.ts";
import * as coupons from "../../src/http/routes/coupons.ts";
import * as delivery from "../../src/http/routes/delivery.ts";
import * as holds from "../../src/http/routes/holds.ts";
import * as live from "../../src/http/routes/live.ts";
import * as readModel from "../../src/http/routes/read-model.ts";
import * as service from "../../src/http/routes/service.ts";
import * as users from "../../src/http/routes/users.ts";
import * as webhooks from "../../src/http/routes/webhooks.ts";
import { VARIABLE_NAMES } from "../../src/edge/config.ts";
import { PAGES } from "../../src/web/pages.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOCUMENTS = [
  "examples/README.md",
  "packages/cli/README.md",
  "packages/client/README.md",
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];
const ROUTE_FILES = { backup, claims, coupons, delivery, holds, live, "read-model": readModel, service, users, webhooks };
const ROUTES = Object.values(ROUTE_FILES).flatMap((module): Route[] => Object.values(module));

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** What the group of `pattern` matches, at each place. */
function all(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, found = ""]) => found);
}

const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts);
const bindings = all(read("src/edge/env.ts"), /^ {2}readonly ([A-Z][A-Z0-9_]+)\??:/gm);
const variables = Array.from(new Set([...bindings, ...VARIABLE_NAMES]));
const api = read("docs/api.md");

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

/** What `text`, as the document at `path`, names that does not exist: files, npm scripts, and the targets of links. */
function faultsOf(path: string, text: string): string[] {
  const files = text.match(/\b(?:src|test|verification|bench|docs|packages)\/[\w./-]+\.(?:ts|md)\b/g) ?? [];
  const links = Array.from(text.matchAll(/\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)/g)).filter(([, to = "", anchor]) => {
    const target = to === "" ? path : join(dirname(path), to);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).includes(anchor);
  });
  return [
    ...files.filter((file) => !existsSync(join(ROOT, file))),
    ...all(text, /\bnpm run ([\w:]+)/g).filter((script) => !scripts.includes(script)),
    ...links.map(([link]) => link),
  ];
}

test.for(DOCUMENTS)("%s names only files, scripts and headings that exist", (path) => {
  expect(faultsOf(path, read(path))).toEqual([]);
});

test("a missing file, script, link and heading are found in a document", () => {
  const planted = "see src/nowhere.ts, npm run nowhere, [a page](nowhere.md), [a heading](api.md#nowhere) and [another](#nowhere)";
  expect(faultsOf("docs/api.md", planted)).toEqual(["src/nowhere.ts", "nowhere", "](nowhere.md)", "](api.md#nowhere)", "](#nowhere)"]);
});

/** The rows of a document's tables as [entry, other cells]; a first cell of `` `a`, `b` `` is two entries. */
function rowsOf(markdown: string): (readonly [string, readonly string[]])[] {
  return Array.from(markdown.matchAll(/^\| (`.*) \|$/gm), ([, row = ""]) => row.split(/ *\| */)).flatMap(([first = "", ...cells]) =>
    Array.from(first.matchAll(/`([^`]+)`/g), ([, entry = ""]) => [entry, cells] as const),
  );
}

/** Expects each of `names` to be the first cell of exactly one row. */
function expectOnce(markdown: string, names: readonly string[]): void {
  const entries = rowsOf(markdown).map(([entry]) => entry);
  expect(names.length).toBeGreaterThan(5);
  expect(names.map((name) => [name, entries.filter((entry) => entry === name).length])).toEqual(names.map((name) => [name, 1]));
}

function escaped(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Expects each refusal once, with its status and sentence. */
function expectRefusals(markdown: string): void {
  expectOnce(markdown, Object.keys(REFUSALS));
  const rows = Object.fromEntries(rowsOf(markdown));
  const inTable = Object.keys(REFUSALS).map((code) => [code, rows[code]?.slice(0, 2)]);
  expect(inTable).toEqual(Object.entries(REFUSALS).map(([code, { status, error }]) => [code, [String(status), escaped(error)]]));
}

const WHO: Record<Who, string> = {
  everybody: "everybody",
  user: "user",
  user_or_operator: "user or operator",
  operator: "operator",
};

/** What a route takes and answers, by its declaration. */
function declared({ who, query = {}, body, takesIdempotencyKey, needsChallenge, isConditional, requestHeaders = [], successes }: Route) {
  const fields = body?.schema instanceof z.ZodObject ? Object.keys(body.schema.shape) : [];
  const headers = [
    ...(takesIdempotencyKey ? ["Idempotency-Key"] : []),
    ...(needsChallenge ? ["Turnstile-Token"] : []),
    ...(isConditional ? ["If-Match", "If-None-Match"] : []),
    ...requestHeaders,
  ];
  return { who: WHO[who], query: Object.keys(query), fields, headers, statuses: Object.keys(successes) };
}

/** The same by its row in a table: | route | who | request | success |. */
function documented(rows: ReturnType<typeof rowsOf>, { method, path }: Route) {
  const [who = "", request = "", success = ""] = rows.find(([entry]) => entry === `${method} ${path}`)?.[1] ?? [];
  return {
    who,
    query: all(request, /`\?(\w+)`/g),
    fields: all(/`\{(.*)\}`/.exec(request)?.[1] ?? "", /(\w+)/g),
    headers: all(request, /`(Idempotency-Key|Turnstile-Token|If-[\w-]+|Last-Event-ID)`/g),
    statuses: all(success, /\b(\d{3}):/g).sort(),
  };
}

/** Expects each route once, with what it declares. */
function expectRoutes(markdown: string): void {
  expectOnce(markdown, [...ROUTES.map(({ method, path }) => `${method} ${path}`), "GET /openapi.json"]);
  const rows = rowsOf(markdown);
  expect(ROUTES.map((route) => [route.id, documented(rows, route)])).toEqual(ROUTES.map((route) => [route.id, declared(route)]));
}

test("every file of routes is compared with the documents", () => {
  expect(readdirSync(join(ROOT, "src/http/routes"))).toEqual(Object.keys(ROUTE_FILES).map((name) => `${name}.ts`));
});

test("docs/api.md documents every route exactly once, with what it takes and answers", () => {
  expectRoutes(api);
});

test("docs/api.md documents every refusal exactly once, with its status and sentence", () => {
  expectRefusals(api);
});

test("docs/cli.md documents every command exactly once, with what it prints as JSON", () => {
  const rows = rowsOf(read("docs/cli.md")).filter(([entry]) => entry.startsWith("doorbuster "));
  const inTable = rows.map(([entry, cells]) => [entry, cells[1]]);
  expect(inTable).toEqual(COMMANDS.map(({ name, operands, json }) => [["doorbuster", name, ...operands].join(" "), json]));
});

test("docs/webhooks.md documents every message exactly once", () => {
  expectOnce(read("docs/webhooks.md"), WEBHOOK_EVENTS);
});

test("docs/pages.md has one row for every path of a page, and no other", () => {
  const paths = Array.from(new Set(PAGES.routes.map(({ path }) => path)));
  const rows = rowsOf(read("docs/pages.md")).map(([entry]) => entry);
  expect(rows.filter((entry) => entry.startsWith("/")).toSorted()).toEqual(paths.toSorted());
});

test("docs/api.md documents every variable, secret and binding exactly once", () => {
  expectOnce(api, variables);
});

const EXAMPLES = readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" }).filter(
  (file) => /\.(?:ts|html)$/.test(file) && !file.includes(".wrangler"),
);

function flat(code: string): string {
  return code.replaceAll(/^ +/gm, "");
}

/** The code blocks of `markdown` that are in none of the examples, whatever their indentation. */
function unquoted(markdown: string): string[] {
  const sources = EXAMPLES.map((file) => flat(read(join("examples", file))));
  return all(markdown, /^```(?:ts|js|html)\n(.*?)^```/gms).filter((code) => !sources.some((source) => source.includes(flat(code))));
}

test("docs/integrate.md quotes the examples as they are", () => {
  const integrate = read("docs/integrate.md");
  expect(unquoted(integrate)).toEqual([]);
  expect(unquoted(integrate.replace("client.hold(COUPON", "client.hold(NAME"))).toHaveLength(1);
});

test("docs/integrate.md documents every outcome of the client exactly once", () => {
  const outcomes = all(read("packages/client/src/outcome.ts"), /readonly outcome: "(\w+)"/g);
  expectOnce(read("docs/integrate.md"), outcomes);
});

test("no example has more than 60 lines", () => {
  expect(EXAMPLES.length).toBeGreaterThan(5);
  expect(EXAMPLES.filter((file) => read(join("examples", file)).trimEnd().split("\n").length > 60)).toEqual([]);
});

test("docs/theming.md documents every variable of the pages exactly once", () => {
  const [, root = ""] = /:root \{(.*?)\}/s.exec(read("src/web/styles/base.css")) ?? [];
  const used = all(read("src/web/styles/sale.css"), /var\((--[\w-]+)/g).filter((name) => name !== "--state");
  expectOnce(read("docs/theming.md"), Array.from(new Set([...all(root, /^ {2}(--[\w-]+):/gm), ...used])));
});

test("CONTRIBUTING.md documents every npm script exactly once", () => {
  expectOnce(read("CONTRIBUTING.md"), scripts);
});

test.for([
  ["a missing variable", "| `ADMIN_AUTH` |", "| ADMIN_AUTH |", () => variables],
  ["a repeated variable", "| `COUPONS` |", "| `COUPONS`, `COUPONS` |", () => variables],
] as const)("%s is found in a table", ([, find, replace, names]) => {
  expect(() => expectOnce(api.replace(find, replace), names())).toThrow("to deeply equal");
});

test.for([
  ["a missing route", "| `GET /health` |", "| GET /health |"],
  ["a wrong caller", "| `GET /health` | everybody |", "| `GET /health` | operator |"],
  ["a wrong query parameter", "`?position` revokes", "`?postion` revokes"],
  ["a missing field", "`{user_id, ttl_seconds}`", "`{user_id}`"],
  ["a missing header", "`{user_ids}` (1 to 1,000), `Idempotency-Key`", "`{user_ids}` (1 to 1,000)"],
  ["a wrong status", "204: the user holds nothing", "200: the user holds nothing"],
] as const)("%s is found in the table of routes", ([, find, replace]) => {
  expect(api).toContain(find);
  expect(() => expectRoutes(api.replace(find, replace))).toThrow("to deeply equal");
});

test.for([
  ["a missing code", "| `sale_ended` | 403 |", "| sale_ended | 403 |"],
  ["a wrong status", "| `sale_ended` | 403 |", "| `sale_ended` | 400 |"],
  ["a wrong sentence", "the sale has ended | stop", "the sale ended | stop"],
] as const)("%s is found in the table of refusals", ([, find, replace]) => {
  expect(api).toContain(find);
  expect(() => expectRefusals(api.replace(find, replace))).toThrow("to deeply equal");
});
