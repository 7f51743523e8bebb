// `npm run build:packages`: builds each package of `packages/` into its `dist`: JavaScript by esbuild, types by tsc.

import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
type Manifest = { readonly exports: Readonly<Record<string, string | { readonly default: string }>> };

for (const name of readdirSync(join(ROOT, "packages"))) {
  const folder = join(ROOT, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const entries = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.default]));
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  await build({
    absWorkingDir: folder,
    entryPoints: entries.map((entry) => entry.replace("./dist/", "src/").replace(/\.js$/, ".ts")),
    outdir: "dist",
    bundle: true,
    // Entries share their code, and an application's bundler takes what it uses.
    splitting: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  const options = ["--composite", "false", "--incremental", "false", "--declaration", "--emitDeclarationOnly"];
  execFileSync(
    join(ROOT, "node_modules/.bin/tsc"),
    ["-p", folder, ...options, "--tsBuildInfoFile", "null", "--outDir", join(folder, "dist")],
    { stdio: "inherit" },
  );
}
