// Monotonic reads: the ledger head of each coupon that this isolate has seen, so that it never shows an older one.

import { HEADS_MAX } from "../domain/limits.ts";

/**
 * `order` tells when the head became another one, among all that this isolate has begun and ended; `since`, when it fell last or was another
 * coupon's: what was requested before may be of an earlier coupon of the name.
 */
type Head = { readonly seq: number; readonly epoch: string | null; readonly order: number; readonly since: number };

/** What an answer shows: the head, and, where it shows the coupon, which one of its name it is. */
type Answer = { readonly seq?: number; readonly code?: string; readonly coupon?: { readonly epoch: string } };

const heads = new Map<string, Head>();
let order = 0;

/** The order of what begins now. */
export function nextOrder(): number {
  order += 1;
  return order;
}

/**
 * Notes the head that an answer shows, which was requested at `requestOrder`. An answer without a judgment shows none; a lower head
 * that was requested before the known one was seen is only late.
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
  // No coupon at all is never merely late: at worst it costs a read.
  const isLower = known !== undefined && seq < known.seq;
  if (isLower && !isAnother && seq > 0 && requestOrder < known.order) return;
  // A full memory is emptied: what is not known to be current is asked for again.
  if (known === undefined && heads.size >= HEADS_MAX) heads.clear();
  const now = nextOrder();
  heads.set(name, { seq, epoch, order: now, since: isLower || isAnother ? now : (known?.since ?? 0) });
}

/**
 * Whether what stands at `seq`, and was requested at `requestOrder`, is not older than any answer that this isolate has had: it stands at
 * the same head, or was requested after that was seen. So a coupon that was created again is recognized as another one.
 */
export function isCurrent(name: string, seq: number, requestOrder: number): boolean {
  const head = heads.get(name);
  return head !== undefined && requestOrder > head.since && (head.seq === seq || requestOrder > head.order);
}
