// Delivers a coupon's ledger to the read model.

import { DELIVERY_PAGE_SIZE, DELIVERY_PAGES_PER_CALL_MAX } from "../domain/delivery-limits.ts";
import { clearIncarnation, endIncarnations, storePage } from "../read-model/store.ts";
import { positionAfter, type Delivered, type Delivery } from "./delivery.ts";

/** Writes page after page, until the read model has all or time is up. Throws what the database throws. */
export async function deliverToReadModel(db: D1Database, { name, sink, store, read, deadline }: Delivery): Promise<Delivered> {
  let current = sink;
  for (let pageCount = 0; pageCount < DELIVERY_PAGES_PER_CALL_MAX && Date.now() < deadline; pageCount += 1) {
    const { cursor, isRebuilding } = current;
    const readAt = Date.now();
    const page = await read(cursor, DELIVERY_PAGE_SIZE);
    if (page === null) {
      // As of before the read: a coupon that is created meanwhile lives.
      await endIncarnations(db, name, readAt);
      return "all";
    }
    const hasNews = page.events.length > 0 || page.deletion !== null;
    if (!hasNews && !isRebuilding) return "all";
    const isCleared = !isRebuilding || cursor?.epoch === page.epoch || (await clearIncarnation(db, page.epoch));
    const isStored = isCleared && (!hasNews || (await storePage(db, name, page, Date.now())));
    const progress = { cursor: positionAfter(page, cursor), isRebuilding: isRebuilding && page.hasMore, deliveredAt: Date.now() };
    // If rows are left to erase, the same page follows. A reset of the sink ends this delivery.
    const advanced = store.advance(current, isStored ? progress : {});
    if (advanced === null) return "more";
    if (isStored && !page.hasMore) return "all";
    current = advanced;
  }
  return "more";
}
