// Monotonic reads: records each coupon's ledger head, so that this isolate never shows an older state.

import { HEADS_MAX } from "../domain/limits.ts";

/**
 * `order` is the place of the head's last change in the order of this isolate's events. `since` is the place
 * of the last change to a lower head or to another coupon. A request before `since` may have read an earlier
 * coupon.
 */
type Head = { readonly seq: number; readonly epoch: string | null; readonly order: number; readonly since: number };

/** The fields of an answer that are read here: the head, and the epoch if the answer shows the coupon. */
type Answer = { readonly seq?: number; readonly code?: string; readonly coupon?: { readonly epoch: string } };

const heads = new Map<string, Head>();
let order = 0;

/** Returns the place of an event that happens now, in the order of this isolate's events. */
export function nextOrder(): number {
  order += 1;
  return order;
}

/**
 * Records the head of an answer to a request that began at `requestOrder`. An answer without a judgment has
 * no head. A lower head is ignored if its request began before the known head was recorded: that answer is
 * only late.
 */
export function recordHead(name: string, { seq, code, coupon }: Answer, requestOrder: number): void {
  if (seq === undefined || code === "unavailable" || code === "invalid_request") return;
  const known = heads.get(name);
  const epoch = coupon?.epoch ?? known?.epoch ?? null;
  const isAnother = known?.epoch != null && known.epoch !== epoch;
  if (known?.seq === seq && !isAnother) {
    if (known.epoch === null && epoch !== null) heads.set(name, { ...known, epoch });
    return;
  }
  // Seq 0 means that there is no coupon. It is recorded even if it is late, which costs one read at most.
  const isLower = known !== undefined && seq < known.seq;
  if (isLower && !isAnother && seq > 0 && requestOrder < known.order) return;
  // A full memory is cleared. Without a recorded head, the coupon is read again.
  if (known === undefined && heads.size >= HEADS_MAX) heads.clear();
  const now = nextOrder();
  heads.set(name, { seq, epoch, order: now, since: isLower || isAnother ? now : (known?.since ?? 0) });
}

/** Whether this isolate knows from an object that coupon `name` exists. */
export function isKnown(name: string): boolean {
  return (heads.get(name)?.seq ?? 0) > 0;
}

/**
 * Whether a state at `seq` is at least as new as every answer in this isolate. It is, if `seq` is the known
 * head, or if its request began after that head was recorded. A state of an earlier coupon of the same name
 * is not current.
 */
export function isCurrent(name: string, seq: number, requestOrder: number): boolean {
  const head = heads.get(name);
  return head !== undefined && requestOrder > head.since && (head.seq === seq || requestOrder > head.order);
}
