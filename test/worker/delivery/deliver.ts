// Delivers coupons to the database as a courier does, but at once.

import { env } from "cloudflare:workers";

import type { OutboxCursor } from "../../../src/domain/delivery.ts";
import { PAGE_SIZE_MAX } from "../../../src/domain/limits.ts";
import { storePage } from "../../../src/read-model/store.ts";
import { stubOf } from "../../support/storage.ts";

/** Stores all that the outboxes of these coupons have. */
export async function deliver(...names: readonly string[]): Promise<void> {
  for (const name of names) await deliverAfter(name, null);
}

async function deliverAfter(name: string, after: OutboxCursor | null): Promise<void> {
  const result = await stubOf(name).outbox(after, PAGE_SIZE_MAX);
  if (!result.ok || result.page === null) return;
  const { epoch, events, deletion, hasMore } = result.page;
  await storePage(env.DB, name, result.page, Date.now());
  if (hasMore) await deliverAfter(name, { epoch, seq: deletion?.seq ?? events.at(-1)?.seq ?? 0 });
}
