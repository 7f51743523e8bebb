// The outbox: a coupon's ledger, and those of its deleted incarnations, in the order of delivery.

import type { Coupon } from "../domain/coupon.ts";
import type { OutboxCursor, OutboxPage } from "../domain/delivery.ts";
import type { LedgerEvent } from "../domain/ledger-event.ts";
import { TEXT_EVENTS_AT_ONCE_MAX } from "../domain/limits.ts";
import type { CouponStore } from "./coupon-store.ts";
import { departedLedger, type Departed } from "./departed-store.ts";
import type { Draft } from "./draft.ts";

type Incarnation = Pick<OutboxPage, "coupon" | "deletion" | "now"> & { readonly events: (after: number, limit: number) => LedgerEvent[] };

/** Returns at most `limit` events after a cursor. Null if there are none, and no incarnation has begun since. */
export function outboxPage(store: CouponStore, draft: Draft | null, after: OutboxCursor | null, limit: number): OutboxPage | null {
  const deleted = departed(store);
  const incarnations = [...deleted, ...(draft === null ? [] : [living(draft)])];
  // The incarnations before one that was forgotten are forgotten too.
  const index = Math.max(
    incarnations.findIndex(({ coupon }) => coupon.epoch === after?.epoch),
    0,
  );
  const [first, ...later] = incarnations.slice(index);
  if (first === undefined) return null;
  const seq = first.coupon.epoch === after?.epoch ? after.seq : 0;
  const [next, ...others] = later;
  const isFirst = seq < lastSeq(first) || next === undefined;
  const found = isFirst ? page(first, seq, limit, later) : page(next, 0, limit, others);
  return { ...found, hasDeleted: deleted.length > 0 };
}

/** Returns how many deleted incarnations, from the oldest on, all cursors have passed. `current` is the epoch of the coupon that lives. */
export function deliveredCount(deleted: readonly Departed[], current: string | null, cursors: readonly (OutboxCursor | null)[]): number {
  const order = [...deleted.map(({ coupon }) => coupon.epoch), current];
  const isPassed = ({ deletion }: Departed, index: number): boolean =>
    cursors.every((cursor) => {
      const at = cursor === null ? -1 : order.indexOf(cursor.epoch);
      return at > index || (at === index && cursor !== null && cursor.seq >= deletion.seq);
    });
  const first = deleted.findIndex((one, index) => !isPassed(one, index));
  return first === -1 ? deleted.length : first;
}

function lastSeq({ coupon, deletion }: Pick<Incarnation, "coupon" | "deletion">): number {
  return deletion?.seq ?? coupon.seq;
}

function page(incarnation: Incarnation, seq: number, limit: number, later: readonly Incarnation[]): Omit<OutboxPage, "hasDeleted"> {
  const { coupon, now } = incarnation;
  const found = incarnation.events(seq, limit);
  const events = found.slice(0, endOf(found));
  const last = events.at(-1)?.seq ?? seq;
  const deletion = last === coupon.seq ? incarnation.deletion : null;
  const leftCount = later.reduce((sum, one) => sum + lastSeq(one), lastSeq(incarnation) - (deletion?.seq ?? last));
  return {
    epoch: coupon.epoch,
    events,
    deletion,
    isDeleted: incarnation.deletion !== null,
    coupon,
    now,
    hasMore: leftCount > 0,
    leftCount,
  };
}

/** Returns how many of the events fit on a page. Each can have the longest texts. */
function endOf(events: readonly LedgerEvent[]): number {
  const beyond = events.flatMap(({ settings }, index) => (settings === undefined ? [] : [index]))[TEXT_EVENTS_AT_ONCE_MAX];
  return beyond ?? events.length;
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
