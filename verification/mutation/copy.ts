// Copies of the checkout to put faults into, so that the checkout itself is never touched.

import { execFile } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { CommandFailure } from "../cli/command.ts";

export const ROOT = join(import.meta.dirname, "../..");

/**
 * Copies what git tracks, and what it would if asked to, into `folder`. That has to be below the checkout: packages are then
 * found in the checkout's own `node_modules`.
 */
export async function copyCheckout(folder: string): Promise<void> {
  for (const file of await checkoutFiles()) {
    const target = join(folder, file);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(ROOT, file), target).catch((cause: NodeJS.ErrnoException) => {
      // Tracked, but deleted meanwhile.
      if (cause.code !== "ENOENT") throw cause;
    });
  }
}

async function checkoutFiles(): Promise<string[]> {
  try {
    const listed = await promisify(execFile)("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: ROOT });
    return listed.stdout.split("\0").filter((file) => file !== "");
  } catch (cause) {
    throw new CommandFailure(`the files to copy are asked of git, which fails here: ${String(cause).split("\n")[0]}`);
  }
}
