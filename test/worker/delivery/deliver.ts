// Delivers coupons to the database as a courier does, but at once.

import { env } from "cloudflare:workers";

import { PAGE_SIZE_MAX } from "../../../src/domain/limits.ts";
import type { OutboxCursor } from "../../../src/domain/delivery.ts";
import { storePage } from "../../../src/read-model/store.ts";
import { stubOf } from "../../support/storage.ts";

/** Stores all that the outboxes of these coupons have. */
export async function deliver(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    let after: OutboxCursor | null = null;
    for (let hasMore = true; hasMore;) {
      const result = await stubOf(name).outbox(after, PAGE_SIZE_MAX);
      if (!result.ok || result.page === null) break;
      const { page } = result;
      await storePage(env.DB, name, page, Date.now());
      after = { epoch: page.epoch, seq: page.deletion?.seq ?? page.events.at(-1)?.seq ?? after?.seq ?? 0 };
      ({ hasMore } = page);
    }
  }
}
