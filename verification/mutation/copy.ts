// Copies of the checkout to put faults into. The checkout itself stays as it is.

import { execFile } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { CommandFailure } from "../../scripts/cli/command.ts";

export const ROOT = join(import.meta.dirname, "../..");

/**
 * Copies all files that git tracks or does not ignore into `folder`. The folder has to be below the checkout,
 * so that its packages are found in the checkout's `node_modules`.
 */
export async function copyCheckout(folder: string): Promise<void> {
  for (const file of await checkoutFiles()) {
    const target = join(folder, file);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(ROOT, file), target).catch((cause: NodeJS.ErrnoException) => {
      // The file is tracked, but deleted.
      if (cause.code !== "ENOENT") throw cause;
    });
  }
}

async function checkoutFiles(): Promise<string[]> {
  try {
    const listed = await promisify(execFile)("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: ROOT });
    return listed.stdout.split("\0").filter((file) => file !== "");
  } catch (cause) {
    throw new CommandFailure(`git can't list the files to copy: ${String(cause).split("\n")[0]}`);
  }
}
