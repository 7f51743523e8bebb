// Builds what the pages load: the islands and the stylesheets, into public/assets. wrangler runs it before each build.

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
const TARGET = join(ROOT, "public/assets");

/** Every file of these folders that is no part of another one: its name starts with no underscore. */
const FOLDERS = [
  ["src/web/islands", /^[a-z][\w-]*\.tsx?$/],
  ["src/web/styles", /^[a-z][\w-]*\.css$/],
] as const;

async function entryPoints(): Promise<string[]> {
  const found = await Promise.all(
    FOLDERS.map(async ([folder, isEntry]) =>
      (await readdir(join(ROOT, folder))).filter((name) => isEntry.test(name)).map((name) => join(folder, name)),
    ),
  );
  return found.flat();
}

/** Writes a file in one step, because another build may read or write it at the same time. */
async function replace(file: string, contents: Uint8Array): Promise<void> {
  const before = await readFile(file).catch(() => null);
  if (before?.equals(contents) === true) return;
  const scratch = `${file}.${process.pid}`;
  await writeFile(scratch, contents);
  await rename(scratch, file);
}

const { outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: await entryPoints(),
  outdir: TARGET,
  entryNames: "[name]",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "eof",
  write: false,
  logLevel: "warning",
});
/** Shops write the address of this file, so it is short. */
const EMBED = join(TARGET, "embed.js");
const files = outputFiles.map(({ path, contents }) => ({ path: path === EMBED ? join(ROOT, "public/embed.js") : path, contents }));
await mkdir(TARGET, { recursive: true });
await Promise.all(files.map(({ path, contents }) => replace(path, contents)));
const built = new Set(files.map(({ path }) => path));
const stale = (await readdir(TARGET)).map((name) => join(TARGET, name)).filter((file) => /\.(?:js|css)$/.test(file) && !built.has(file));
await Promise.all(stale.map((file) => rm(file, { force: true })));
