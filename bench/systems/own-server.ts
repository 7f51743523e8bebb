// Common parts of the peers' stores: a folder for sockets, their versions, and when they are ready.

import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { Skipped, type Lab } from "./system.ts";

const READY_WITHIN_MS = 30_000;

/**
 * A new folder for a socket. Not in the checkout: a socket's path must not be longer than some hundred bytes.
 */
export async function socketFolder(lab: Lab): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "doorbuster-"));
  lab.atEnd(() => rm(folder, { recursive: true, force: true }));
  // The server may run as another user.
  await chmod(folder, 0o777);
  return folder;
}

/** A program's version, or null where it is not installed. */
export async function versionOf(program: string, pattern: RegExp): Promise<string | null> {
  const printed = await promisify(execFile)(program, ["--version"]).catch(() => null);
  return printed === null ? null : (pattern.exec(printed.stdout)?.[1] ?? null);
}

/** Resolves once `isReady` is true. Throws {@link Skipped} when the server ends or takes half a minute. */
export async function ready(server: string, isReady: () => Promise<boolean>, ended: Promise<unknown>): Promise<void> {
  const state = { isOver: false };
  void ended.then(() => (state.isOver = true));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && !state.isOver) {
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Skipped(`${server} did not start`);
}

/** Whether a program ends with 0. */
export function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return promisify(execFile)(program, args).then(
    () => true,
    () => false,
  );
}
