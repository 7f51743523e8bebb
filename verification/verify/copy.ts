// A whole copy of one object's database, also while a server writes it.

import { copyFile, open, rm, stat } from "node:fs/promises";

import { CommandFailure } from "../cli/command.ts";

const ATTEMPTS_MAX = 50;
const PAUSE_MS = 20;
/** The header of a write-ahead log: its salts are others after every reset (source: sqlite.org/fileformat2.html, 4.1). */
const WAL_HEADER_BYTES = 32;

/**
 * Copies `source` and its write-ahead log to `target`, where nothing is yet; false where there is no such file any more. The log may grow meanwhile:
 * its checksums end the copy at a commit. Pages may move from the log to the database too: the log still has them, and
 * goes before. What must not happen between the two copies is that the log begins anew. Throws {@link CommandFailure} where
 * it did each time.
 */
export async function copyWhole(source: string, target: string): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const before = await generation(source);
    if (before === null) return false;
    if (attempt > 1) await removeCopy(target);
    if ((await copied(source, target)) && (await copiedLog(source, target)) && (await generation(source)) === before) return true;
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
  throw new CommandFailure(`${source} changes so fast that ${ATTEMPTS_MAX} copies were not whole: try again with less load`);
}

/** Removes a copy, and what SQLite has put beside it. */
export async function removeCopy(target: string): Promise<void> {
  await Promise.all(["", "-wal", "-shm"].map((suffix) => rm(target + suffix, { force: true })));
}

/** What stays the same while the log does not begin anew; null where there is no database. */
async function generation(source: string): Promise<string | null> {
  try {
    const header = await headerOf(`${source}-wal`);
    if (header !== "") return header;
    // Without a log, whoever writes the database does so past one that came and went.
    const { size, mtimeNs } = await stat(source, { bigint: true });
    return `${size} bytes, ${mtimeNs}`;
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw cause;
  }
}

async function headerOf(log: string): Promise<string> {
  try {
    const file = await open(log);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(WAL_HEADER_BYTES), 0, WAL_HEADER_BYTES, 0);
      return buffer.subarray(0, bytesRead).toString("hex");
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isMissing(cause)) return "";
    throw cause;
  }
}

async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}

/** A log that is not there is none to copy. */
async function copiedLog(source: string, target: string): Promise<true> {
  await copied(`${source}-wal`, `${target}-wal`);
  return true;
}

function isMissing(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === "ENOENT";
}
