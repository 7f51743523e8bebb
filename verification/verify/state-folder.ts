// Finds the objects' files, and the file of a coupon.

import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { objectFile, OBJECTS_FOLDER } from "../../scripts/server/config.ts";

const OBJECT_FILE = /^[0-9a-f]{64}\.sqlite$/;

/** The files of the objects in one state folder. */
export type StateFolder = {
  readonly folder: string;
  /** File names, sorted. */
  readonly files: readonly string[];
};

/**
 * Finds the objects below `state`: the folder that a server was given, or the folder with the files. Throws
 * {@link CommandFailure} where there is none.
 */
export async function stateFolder(state: string): Promise<StateFolder> {
  const given = resolve(state);
  // The last is where `wrangler dev --persist-to` puts them.
  const places = [
    ...(basename(given) === OBJECTS_FOLDER ? [given] : []),
    join(given, OBJECTS_FOLDER),
    join(given, "v3/do", OBJECTS_FOLDER),
  ];
  for (const folder of places) {
    const names = await namesIn(folder);
    if (names !== null) return { folder, files: names.filter((name) => OBJECT_FILE.test(name)).sort() };
  }
  const found = await namesIn(given);
  if (found === null) throw new CommandFailure(`there is no folder ${given}`);
  const shown = found.length === 0 ? "nothing" : found.slice(0, 3).join(", ") + (found.length > 3 ? ` and ${found.length - 3} more` : "");
  throw new CommandFailure(`${given} is not a state of Doorbuster: it contains ${shown}, and no ${OBJECTS_FOLDER}`);
}

/** The file of the object that has a coupon's name. */
export function fileOf(coupon: string): string {
  return objectFile(OBJECTS_FOLDER, coupon);
}

async function namesIn(folder: string): Promise<readonly string[] | null> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new CommandFailure(`${folder} can't be read: ${String(code)}`);
  }
}
