// The objects' SQLite files, read while no server has them open.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { OBJECTS_FOLDER } from "../../verification/server/workerd.ts";

/** Opens the file of a coupon below `state`, in which there must be one. */
export async function openCoupon(state: string, coupon: string): Promise<DatabaseSync> {
  const folder = join(state, OBJECTS_FOLDER);
  // workerd's own file beside them holds no object.
  const files = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  for (const file of files) {
    const database = new DatabaseSync(join(folder, file));
    if (nameIn(database) === coupon) return database;
    database.close();
  }
  throw new Error(`there is no coupon ${coupon} in ${folder}`);
}

/** Claims and holds of a coupon in its file. */
export async function unitsOnDisk(state: string, coupon: string): Promise<number> {
  const database = await openCoupon(state, coupon);
  const rows = database.prepare("SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM holds) AS units").get();
  database.close();
  return Number(rows?.["units"]);
}

/** The coupon's name, or null in the file of an object that never had one. */
function nameIn(database: DatabaseSync): string | null {
  const hasCoupon = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'coupon'").get() !== undefined;
  const name = hasCoupon ? database.prepare("SELECT name FROM coupon").get()?.["name"] : null;
  return typeof name === "string" ? name : null;
}
