// A coupon's SQLite file, read while no server has it open.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { OBJECTS_FOLDER } from "../../scripts/server/workerd.ts";
import { fileOf } from "../../verification/verify/state-folder.ts";

/** Opens the file of a coupon below `state`. */
export function openCoupon(state: string, coupon: string): DatabaseSync {
  return new DatabaseSync(join(state, OBJECTS_FOLDER, fileOf(coupon)));
}

/** Claims and holds of a coupon in its file. */
export async function unitsOnDisk(state: string, coupon: string): Promise<number> {
  const database = openCoupon(state, coupon);
  const rows = database.prepare("SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM holds) AS units").get();
  database.close();
  return Number(rows?.["units"]);
}
