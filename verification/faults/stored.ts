// Reads the objects' files from copies, while no server runs.

import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { readTables, type Tables } from "../model/tables.ts";
import { OBJECTS_FOLDER } from "../../scripts/server/workerd.ts";

/** One incarnation of a coupon. */
export type Incarnation = { readonly name: string; readonly epoch: string; readonly tables: Tables };

/** Returns the coupons below `state` by their names. */
export async function storedIncarnations(state: string): Promise<ReadonlyMap<string, Incarnation>> {
  const objects = join(state, OBJECTS_FOLDER);
  const copies = join(state, "copies");
  await mkdir(copies);
  try {
    // A kill can come before the first call of an object.
    const files = await readdir(objects).catch(() => []);
    const wanted = files.filter((file) => /^[0-9a-f]{64}\.sqlite(-wal)?$/.test(file));
    await Promise.all(wanted.map((file) => copyFile(join(objects, file), join(copies, file))));
    const incarnations = wanted.filter((file) => file.endsWith(".sqlite")).map((file) => incarnationIn(join(copies, file)));
    return new Map(incarnations.filter((incarnation) => incarnation !== null).map((incarnation) => [incarnation.name, incarnation]));
  } finally {
    await rm(copies, { recursive: true });
  }
}

/** The coupon in a file; null without one. */
function incarnationIn(file: string): Incarnation | null {
  const database = new DatabaseSync(file);
  try {
    if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'coupon'").get() === undefined) return null;
    const { name, epoch } = database.prepare("SELECT name, epoch FROM coupon").get() as { name: string; epoch: string };
    return { name, epoch, tables: readTables((query) => database.prepare(query).all()) };
  } finally {
    database.close();
  }
}
