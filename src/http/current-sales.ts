// The sales that a page can list.

import { HOME_SALES_DEADLINE_MS, HOME_SALES_MAX } from "../domain/service-limits.ts";
import type { Env } from "../edge/env.ts";
import { liveCoupons, type ListedCoupon } from "../read-model/queries.ts";
import { fromDatabase } from "./database.ts";

/** Returns the first sales that are not archived, or null if there is no database that answers. */
export async function currentSales(env: Env): Promise<readonly ListedCoupon[] | null> {
  const result = await fromDatabase(env, (db) => liveCoupons(db, HOME_SALES_MAX, Date.now()), HOME_SALES_DEADLINE_MS);
  return result.ok ? result.value : null;
}
