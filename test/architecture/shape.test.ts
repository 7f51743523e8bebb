// The shape of the project: small files, pinned dependencies, one version, no skipped test.

import { expect, test } from "vitest";

import { filesIn, text } from "./tools.ts";

type Packages = Readonly<Record<string, string>>;
type Manifest = {
  readonly version: string;
  readonly dependencies?: Packages;
  readonly devDependencies?: Packages;
  readonly optionalDependencies?: Packages;
};
type Locked = { readonly resolved?: string; readonly link?: boolean; readonly optionalDependencies?: Packages };

const manifest = JSON.parse(text("package.json")) as Manifest;
const lock = JSON.parse(text("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };

function lineCount(path: string): number {
  return text(path).trimEnd().split("\n").length;
}

const typescript = [...filesIn("src"), ...filesIn("packages/client/src")].filter((path) => /\.tsx?$/.test(path));
const sources = typescript.filter((path) => !path.endsWith(".d.ts"));

test("no source file has more than 300 lines", () => {
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter((path) => lineCount(path) > 300)).toEqual([]);
});

test.for([
  ["the rule of a claim", "src/domain/claim.ts"],
  ["the SQL of a claim", "src/engine/claim-store.ts"],
  ["the batch", "src/object/mailbox.ts"],
  ["the table of statuses", "src/http/refusals.ts"],
] as const)("%s is one file under 200 lines", ([, path]) => {
  expect(lineCount(path)).toBeLessThan(200);
});

test("every source file opens with a comment", () => {
  expect(sources.filter((path) => !/^\/\/ \S/.test(text(path)))).toEqual([]);
});

test("no compiler output is among the sources", () => {
  expect(typescript.filter((path) => sources.includes(path.replace(/\.d\.ts$/, ".ts")) && path.endsWith(".d.ts"))).toEqual([]);
});

test("every dependency is pinned to exactly one version", () => {
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies });
  expect(wanted.length).toBeGreaterThan(10);
  expect(wanted.filter(([, version]) => !/^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test("the lock file has no address of a registry, so it installs from any mirror", () => {
  expect(Object.entries(lock.packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true)).toEqual([]);
  expect(text("package-lock.json")).not.toMatch(/https?:\/\/registry/);
});

test("the lock file has every optional dependency, so it installs on every platform", () => {
  const wanted = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ path, name })),
  );
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter(({ path, name }) => !isLocked(path, name))).toEqual([]);
});

/** Whether the package at `path` finds `name` in the lock file, by the way Node resolves it: its own folder first, then its parents. */
function isLocked(path: string, name: string): boolean {
  const prefix = path === "" ? "" : `${path}/`;
  if (`${prefix}node_modules/${name}` in lock.packages) return true;
  return path !== "" && isLocked(path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name);
}

test("the package has the version of the API", () => {
  expect(/API_VERSION\s*=\s*"([^"]+)"/.exec(text("src/wire.ts"))?.[1]).toBe(manifest.version);
});

test(".dev.vars opens operator and user routes for local development, and has no secret", () => {
  expect(text(".dev.vars").trim().split("\n")).toEqual(["ADMIN_AUTH=off", "IDENTITY=off", "ADDRESS_LIMIT=off", "WEBHOOK_TARGETS=any"]);
});

test("each rate-limit counter has an account-wide namespace_id of its own, and none of Cloudflare's samples", () => {
  const ids = Array.from(text("wrangler.toml").matchAll(/^namespace_id = "(\d+)"$/gm), ([, id]) => Number(id));
  expect([ids.length, new Set(ids).size]).toEqual([12, 12]);
  expect(ids.filter((id) => id < 100_000)).toEqual([]);
});

test("no test is skipped, marked as todo, or run alone", () => {
  const tests = ["test", "verification", "bench"].flatMap(filesIn).filter((path) => path.startsWith("test/") || path.endsWith(".test.ts"));
  expect(tests.length).toBeGreaterThan(10);
  const isLeftOut = /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.(?:skip|only|todo|skipIf|runIf|fails)\b|\bx(?:it|test|describe)\(/;
  expect(tests.filter((path) => isLeftOut.test(text(path)))).toEqual([]);
});
