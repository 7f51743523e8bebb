// Files with the results of a command.

import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

import { CommandFailure } from "./command.ts";

/** Writes `results` as JSON, with the commit and the machine. Throws {@link CommandFailure} if it can't. */
export async function writeResults(file: string, results: object): Promise<void> {
  const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, node: process.version };
  await writeText(file, `${JSON.stringify({ ...results, commit: await commitHere(), machine }, null, 2)}\n`);
}

/** Writes a text and creates missing folders. Throws {@link CommandFailure} if it can't. */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
    await writeFile(file, text);
  } catch (cause) {
    throw new CommandFailure(`${file} can't be written: ${String((cause as NodeJS.ErrnoException).code)}`);
  }
}

/** The checkout's commit, marked if the product has changed since; null outside of a checkout. */
async function commitHere(): Promise<string | null> {
  try {
    const commit = await git("rev-parse", "HEAD");
    return commit + ((await git("status", "--porcelain", "--", "../../src")) === "" ? "" : " with changes in src");
  } catch {
    return null;
  }
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("git", args, { cwd: import.meta.dirname });
  return stdout.trim();
}
