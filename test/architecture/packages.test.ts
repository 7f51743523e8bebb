// The packages as they are published: their contents, their size, and what their users' tools make of them.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ROOT, text } from "./tools.ts";

type Packed = { readonly filename: string; readonly files: readonly { readonly path: string }[] };

/** A page loads no more than this for `createClient`, minified and with gzip. */
const BYTES_MAX = 5 * 1024;

let folder: string;
let packed: Packed;
let tarball: Uint8Array;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "doorbuster-packages-"));
  const args = ["pack", "--json", "--workspace", "@doorbuster/client", "--pack-destination", folder];
  const output = execFileSync("npm", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  [packed] = JSON.parse(output.slice(output.indexOf("["))) as [Packed];
  tarball = readFileSync(join(folder, packed.filename));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("npm pack of the client has its code, its types, its README and its license, and nothing else", () => {
  const paths = packed.files.map(({ path }) => path);
  const others = paths.filter((path) => !/^dist\/(?:[\w-]+\.d\.ts|(?:index|operator|webhooks|chunk-\w+)\.js)$/.test(path));
  expect(others.sort()).toEqual(["LICENSE", "README.md", "package.json"]);
  const { dependencies, version } = JSON.parse(text("packages/client/package.json")) as Record<string, unknown>;
  expect([dependencies, version]).toEqual([undefined, (JSON.parse(text("package.json")) as Record<string, unknown>)["version"]]);
});

test("publint has nothing to say about the packed client", async () => {
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(tarball).buffer }, strict: true });
  expect(messages).toEqual([]);
});

/** `require` before Node 20.19, and the resolution of Node 10, load no ES module. */
function isOld(problem: object): boolean {
  return "resolutionKind" in problem && /^node10$|-cjs$/.test(String(problem.resolutionKind));
}

test("the types of the packed client are found by every module resolution that loads ES modules", async () => {
  const checked = await checkPackage(createPackageFromTarballData(tarball));
  const problems = checked.types === false ? ["no types"] : checked.problems;
  expect(problems.filter((problem) => typeof problem === "string" || !isOld(problem))).toEqual([]);
});

test("the client of users needs at most 5 KB", async () => {
  const entry = join(ROOT, "packages/client/dist/index.js");
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, format: "esm", write: false });
  expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThanOrEqual(BYTES_MAX);
});
