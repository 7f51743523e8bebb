// Delivers a coupon's ledger to the read model.

import { DELIVERY_PAGE_SIZE } from "../domain/delivery-limits.ts";
import { clearIncarnation, storePage } from "../read-model/store.ts";
import { positionAfter, type Delivered, type Delivery } from "./delivery.ts";

/** Writes page after page, until the read model has all or time is up. Throws what the database throws. */
export async function deliverToReadModel(db: D1Database, { name, sink, store, read, deadline }: Delivery): Promise<Delivered> {
  let current = sink;
  do {
    const page = await read(current.cursor, DELIVERY_PAGE_SIZE);
    if (page === null) return "all";
    if (current.isRebuilding && current.cursor?.epoch !== page.epoch) await clearIncarnation(db, page.epoch);
    const hasNews = page.events.length > 0 || page.deletion !== null;
    if (hasNews) await storePage(db, name, page, Date.now());
    if (hasNews || current.isRebuilding) {
      const progress = { cursor: positionAfter(page, current.cursor), isRebuilding: current.isRebuilding && page.hasMore };
      const advanced = store.advance(current, { ...progress, ...(hasNews ? { deliveredAt: Date.now() } : {}) });
      if (advanced === null) return "more";
      current = advanced;
    }
    if (!page.hasMore) return "all";
  } while (Date.now() < deadline);
  return "more";
}
