// The webhooks of one incarnation, as they follow from the reference model.

import { follow, left, type Coupon } from "../model/coupon.ts";
import { stateAt } from "../model/judge.ts";
import type { EventKind, LedgerEvent } from "../model/types.ts";

/** A webhook in the model's words. `remaining` is set where it shows the stock. */
export type Message = {
  readonly id: string;
  readonly type: string;
  readonly at: number;
  readonly userId: string | null;
  readonly position: number | null;
  readonly remaining: number | null;
  /** Title, description and picture, where it shows them. */
  readonly texts: readonly (string | null)[] | null;
};

const TYPES: Readonly<Record<EventKind, string | null>> = {
  created: "coupon.created",
  changed: "coupon.changed",
  archived: "coupon.archived",
  removed: "coupon.deleted",
  claimed: "claim.granted",
  released: "claim.revoked",
  held: "hold.created",
  given_back: "hold.released",
  expired: "hold.expired",
  erased: null,
};

/** The phases of a sale in their order. */
const PHASES: Readonly<Record<string, number>> = { scheduled: 0, open: 1, sold_out: 1, ended: 2, archived: 2 };
type Moment = { readonly phase: number; readonly stock: number };

/** Returns the messages in their order. A ledger that lives is followed to the end of time. */
export function messagesOf(epoch: string, events: readonly LedgerEvent[], deletedAt: unknown): Message[] {
  const made: Message[] = [];
  let coupon: Coupon | null = null;
  let before: Moment = { phase: 0, stock: 1 };
  let seq = 0;
  let last = -Infinity;
  const arriveAt = (at: number): void => {
    if (coupon === null) return;
    const stock = left(coupon);
    const now = { phase: PHASES[stateAt({ ...coupon.settings, paused: false }, stock, at)] ?? 0, stock };
    for (const milestone of milestonesBetween(before, now)) {
      const about = { userId: null, position: null, remaining: stock, texts: null };
      made.push({ id: `msg_${epoch}_${seq}_${milestone}`, type: `coupon.${milestone}`, at, ...about });
    }
    before = now;
    last = at;
  };
  const passEdges = (until: number): void => {
    const { startsAt = null, endsAt = null } = coupon?.settings ?? {};
    for (const edge of [startsAt, endsAt]) if (edge !== null && edge > last && edge <= until) arriveAt(edge);
  };
  for (const event of events) {
    const { kind, userId, position, settings } = event;
    const at = kind === "removed" ? Number(deletedAt) : event.at;
    passEdges(at);
    seq += 1;
    coupon = follow(coupon, event, null, null);
    const remaining = coupon !== null && (kind === "created" || kind === "changed") ? left(coupon) : null;
    const texts = settings === undefined ? null : [settings.title, settings.description, settings.imageUrl];
    const type = TYPES[kind];
    if (type !== null) made.push({ id: `msg_${epoch}_${seq}`, type, at, userId, position, remaining, texts });
    arriveAt(at);
  }
  passEdges(Infinity);
  return made;
}

function milestonesBetween(before: Moment, { phase, stock }: Moment): string[] {
  const reopens = phase === 1 && stock > 0 && (before.phase === 2 || (before.phase === 1 && before.stock === 0));
  const reached = { started: before.phase === 0 && phase === 1, reopened: reopens };
  const ended = { sold_out: before.stock > 0 && stock === 0, ended: before.phase < 2 && phase === 2 };
  return Object.entries({ ...reached, ...ended }).flatMap(([milestone, isReached]) => (isReached ? [milestone] : []));
}
