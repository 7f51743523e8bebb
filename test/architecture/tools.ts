// Reads the project's files, and runs its tools on a copy of its sources.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The text of a file of the project. */
export function text(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Every file of the project below `folder`, as paths from the project's root. */
export function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .sort();
}

/** How a command ended, and what it printed. */
export type Ran = { readonly status: number | null; readonly output: string };

export type Copy = {
  readonly folder: string;
  /** Runs a tool of the project on the copy. */
  run(tool: "oxlint", ...args: readonly string[]): Ran;
  remove(): void;
};

/** Copies `src` and what configures the tools into a temporary folder. */
export function copied(): Copy {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-layers-"));
  for (const part of ["src", "tsconfig.base.json", ".oxlintrc.json", "package.json"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    run(tool, ...args) {
      const PATH = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
      const { status, stdout, stderr } = spawnSync(join(ROOT, "node_modules/.bin", tool), args, {
        cwd: folder,
        env: { ...process.env, PATH },
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      });
      return { status, output: stdout + stderr };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
