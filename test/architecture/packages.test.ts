// The packages as they are published: their contents, their size, and what their users' tools make of them.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ROOT, text } from "./tools.ts";

type Packed = { readonly name: string; readonly filename: string; readonly files: readonly { readonly path: string }[] };

const NAMES = ["@doorbuster/client", "doorbuster"] as const;
type Name = (typeof NAMES)[number];

/** A page loads no more than this for `createClient`, minified and with gzip. */
const BYTES_MAX = 5 * 1024;

let folder: string;
let packed: readonly Packed[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "doorbuster-packages-"));
  const args = ["pack", "--json", ...NAMES.flatMap((name) => ["--workspace", name]), "--pack-destination", folder];
  const output = execFileSync("npm", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  packed = JSON.parse(output.slice(output.indexOf("["))) as Packed[];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pathsIn(name: Name): string[] {
  return (packed.find((one) => one.name === name)?.files ?? []).map(({ path }) => path).sort();
}

function tarballOf(name: Name): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(join(folder, packed.find((one) => one.name === name)?.filename ?? "")));
}

test("npm pack of the client has its code, its types, its README and its license, and nothing else", () => {
  const isCode = /^dist\/(?:[\w-]+\.d\.ts|(?:index|operator|webhooks|chunk-\w+)\.js)$/;
  const others = pathsIn("@doorbuster/client").filter((path) => !isCode.test(path));
  expect(others).toEqual(["LICENSE", "README.md", "package.json"]);
});

test("npm pack of the command line has its code, its README and its license, and nothing else", () => {
  expect(pathsIn("doorbuster")).toEqual(["LICENSE", "README.md", "bin/doorbuster.js", "dist/main.js", "package.json"]);
});

test.for(["client", "cli"])("packages/%s has no dependencies, and the version of the API", (name) => {
  const { dependencies, version } = JSON.parse(text(`packages/${name}/package.json`)) as Record<string, unknown>;
  expect([dependencies, version]).toEqual([undefined, (JSON.parse(text("package.json")) as Record<string, unknown>)["version"]]);
});

test.for(NAMES)("publint has nothing to say about the packed %s", async (name) => {
  const { messages } = await publint({ pack: { tarball: tarballOf(name).buffer }, strict: true });
  expect(messages).toEqual([]);
});

/** Runs a command in `folder` without what npm has set for this run. */
function runIn(cwd: string, command: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  return execFileSync(command, args, { cwd, env: { ...env, npm_config_cache: join(folder, "cache") }, encoding: "utf8" });
}

test("both packages install without a network into an empty folder, and run there", () => {
  const empty = join(folder, "empty");
  mkdirSync(empty);
  writeFileSync(join(empty, "package.json"), "{}");
  runIn(empty, "npm", "install", "--offline", "--no-audit", "--no-fund", ...packed.map(({ filename }) => join(folder, filename)));
  const { version } = JSON.parse(text("packages/cli/package.json")) as { readonly version: string };
  expect(runIn(empty, "npx", "--offline", "doorbuster", "--version")).toBe(`${version}\n`);
  expect(runIn(empty, "npx", "--offline", "doorbuster", "--help")).toContain("doorbuster create --help");
  const entries = ["@doorbuster/client", "@doorbuster/client/operator", "@doorbuster/client/webhooks"];
  const code = `for (const entry of ${JSON.stringify(entries)}) console.log(Object.keys(await import(entry)).join());`;
  const exported = runIn(empty, process.execPath, "--input-type=module", "--eval", code);
  expect(exported.match(/createClient|createOperator|verifyWebhook/g)).toEqual(["createClient", "createOperator", "verifyWebhook"]);
});

test("the command line exports nothing, so it needs no types", () => {
  const { exports } = JSON.parse(text("packages/cli/package.json")) as { readonly exports: object };
  expect(exports).toEqual({ "./package.json": "./package.json" });
});

test("the built client imports nothing but its own files", () => {
  const code = pathsIn("@doorbuster/client").filter((path) => path.endsWith(".js"));
  const imports = code.flatMap((path) => text(`packages/client/${path}`).match(/(?<=(?:from|import)\s*\(?)"[^"]+"/g) ?? []);
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter((one) => !/^"\.\/chunk-\w+\.js"$/.test(one))).toEqual([]);
});

/** `require` before Node 20.19, and the resolution of Node 10, load no ES module. */
function isOld(problem: object): boolean {
  return "resolutionKind" in problem && /^node10$|-cjs$/.test(String(problem.resolutionKind));
}

test("the types of the packed client are found by every module resolution that loads ES modules", async () => {
  const checked = await checkPackage(createPackageFromTarballData(tarballOf("@doorbuster/client")));
  const problems = checked.types === false ? ["no types"] : checked.problems;
  expect(problems.filter((problem) => typeof problem === "string" || !isOld(problem))).toEqual([]);
});

test("the client of users needs at most 5 KB", async () => {
  const entry = join(ROOT, "packages/client/dist/index.js");
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, format: "esm", write: false });
  expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThanOrEqual(BYTES_MAX);
});
