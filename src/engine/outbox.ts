// The outbox: a coupon's ledger, and those of its deleted incarnations, in the order of delivery.

import type { Coupon } from "../domain/coupon.ts";
import type { OutboxCursor, OutboxPage } from "../domain/delivery.ts";
import type { LedgerEvent } from "../domain/ledger-event.ts";
import type { CouponStore } from "./coupon-store.ts";
import { departedLedger } from "./departed-store.ts";
import type { Draft } from "./draft.ts";

type Incarnation = Pick<OutboxPage, "coupon" | "deletion" | "now"> & { readonly events: (after: number, limit: number) => LedgerEvent[] };

/** Returns at most `limit` events after a cursor. Null if there are none, and no incarnation has begun since. */
export function outboxPage(store: CouponStore, draft: Draft | null, after: OutboxCursor | null, limit: number): OutboxPage | null {
  const incarnations = [...departed(store), ...(draft === null ? [] : [living(draft)])];
  // The incarnations before one that was forgotten are forgotten too.
  const index = Math.max(
    incarnations.findIndex(({ coupon }) => coupon.epoch === after?.epoch),
    0,
  );
  const [first, ...later] = incarnations.slice(index);
  if (first === undefined) return null;
  const seq = first.coupon.epoch === after?.epoch ? after.seq : 0;
  const [next] = later;
  if (seq < lastSeq(first)) return page(first, seq, limit, later.length > 0);
  return next === undefined ? { ...page(first, seq, limit, false), deletion: null } : page(next, 0, limit, later.length > 1);
}

function lastSeq({ coupon, deletion }: Pick<Incarnation, "coupon" | "deletion">): number {
  return deletion?.seq ?? coupon.seq;
}

function page({ coupon, deletion, now, events: read }: Incarnation, seq: number, limit: number, hasLater: boolean): OutboxPage {
  const events = read(seq, limit);
  const isEnd = (events.at(-1)?.seq ?? seq) >= coupon.seq;
  return { epoch: coupon.epoch, events, deletion: isEnd ? deletion : null, coupon, now, hasMore: !isEnd || hasLater };
}

function living(draft: Draft): Incarnation {
  const coupon: Coupon = { ...draft.coupon };
  return { coupon, deletion: null, now: draft.at, events: (after, limit) => draft.eventsAfter(after, limit) };
}

function departed(store: CouponStore): Incarnation[] {
  return store.departed.all().map(({ coupon, deletion }) => ({
    coupon,
    deletion,
    now: deletion.at,
    events: (after, limit) => store.ledger.events(after, limit, departedLedger(coupon.epoch)),
  }));
}
