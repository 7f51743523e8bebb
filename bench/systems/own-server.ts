// What the stores of the peers have in common: a folder for their sockets, whether they are installed, and when they answer.

import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { Skipped, type Lab } from "./system.ts";

const READY_WITHIN_MS = 30_000;

/** A new folder for a socket. Not in the checkout: a socket's path must not be longer than some hundred bytes. */
export async function socketFolder(lab: Lab): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "doorbuster-"));
  lab.atEnd(() => rm(folder, { recursive: true, force: true }));
  // For a server that runs as another user.
  await chmod(folder, 0o777);
  return folder;
}

/** What a program says of its version, or null where it is not installed. */
export async function versionOf(program: string, pattern: RegExp): Promise<string | null> {
  const said = await promisify(execFile)(program, ["--version"]).catch(() => null);
  return said === null ? null : (pattern.exec(said.stdout)?.[1] ?? null);
}

/** Resolves once `isReady` says so. Throws when the server ends before, or takes over half a minute. */
export async function ready(who: string, isReady: () => Promise<boolean>, ended: Promise<unknown>): Promise<void> {
  const state = { isOver: false };
  void ended.then(() => (state.isOver = true));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && !state.isOver) {
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Skipped(`${who} did not start`);
}

/** Whether a program ends with 0. */
export function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return promisify(execFile)(program, args).then(
    () => true,
    () => false,
  );
}
