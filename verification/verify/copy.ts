// Copies one object's database as a whole, also while a server writes it.

import { copyFile, open, rm, stat } from "node:fs/promises";

import { CommandFailure } from "../../scripts/cli/command.ts";

const ATTEMPTS_MAX = 50;
const PAUSE_MS = 20;
/** The header of a log. Its salts change with every reset (source: sqlite.org/fileformat2.html, 4.1). */
const WAL_HEADER_BYTES = 32;

/**
 * Copies `source` and its write-ahead log to `target`, which must not exist. Returns false where `source` is
 * gone. The log may grow meanwhile, because its checksums end the copy at a commit. Pages may move from the
 * log to the database, because the log still has them. Only a log that begins anew between the two copies
 * breaks the copy. Throws {@link CommandFailure} where that happened each time.
 */
export async function copyWhole(source: string, target: string): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const before = await generation(source);
    if (before === null) return false;
    if (attempt > 1) await removeCopy(target);
    const isThere = await copied(source, target);
    // There may be no log.
    await copied(`${source}-wal`, `${target}-wal`);
    if (isThere && (await generation(source)) === before) return true;
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
  throw new CommandFailure(`${source} changes so fast that ${ATTEMPTS_MAX} copies were not whole: try again with less load`);
}

/** Removes a copy and SQLite's files beside it. */
export async function removeCopy(target: string): Promise<void> {
  await Promise.all(["", "-wal", "-shm"].map((suffix) => rm(target + suffix, { force: true })));
}

/** A value that stays the same until the log begins anew. Null where there is no database. */
async function generation(source: string): Promise<string | null> {
  try {
    const header = await headerOf(`${source}-wal`);
    if (header !== "") return header;
    // Without a log, the database itself changes when a log came and went.
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

function isMissing(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === "ENOENT";
}
