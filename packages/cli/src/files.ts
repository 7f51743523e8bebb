// Files that a command reads and writes.

import { openSync, readFileSync } from "node:fs";

import { usage } from "./failure.ts";

/** Returns what is in a file. Throws {@link CommandError} if it can't be read. */
export function fileContent(path: string): Uint8Array {
  return orUsage(path, "read", () => readFileSync(path));
}

/** Opens a file, and empties it. Throws {@link CommandError} if it can't be written, before anything is sent. */
export function writableFile(path: string): number {
  return orUsage(path, "written", () => openSync(path, "w"));
}

function orUsage<T>(path: string, done: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw usage(`${path} can't be ${done}: ${cause instanceof Error ? cause.message : String(cause)}`, "check the path of the file");
  }
}
