// The ledgers on disk after a kill.

import { readEach } from "../crash/stored.ts";
import { readable } from "../verify/tables.ts";
import type { Ledgers } from "./arrivals.ts";

/** The ledgers of the coupons below `state`, and the epochs of deleted incarnations whose ledgers are left. */
export async function ledgersIn(state: string): Promise<{ readonly ledgers: Ledgers; readonly departed: readonly string[] }> {
  const { found, unreadable } = await readEach(state, (tables) => {
    const coupon = readable(() => tables.coupon, null);
    const ledger = coupon === null ? [] : [[coupon.name, { epoch: coupon.epoch, events: [...tables.ledger] }] as const];
    return { ledger, departed: tables.departed.map(({ epoch }) => epoch) };
  });
  if (unreadable.length > 0) throw new Error(unreadable.join("; "));
  return { ledgers: new Map(found.flatMap(({ ledger }) => ledger)), departed: found.flatMap(({ departed }) => departed) };
}
