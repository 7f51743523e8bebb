// What webhooks tell of a coupon: the events of its ledger, and the milestones that follow from events, settings and time.

import { assert } from "./assert.ts";
import { remaining, windowPhase, type Coupon, type Instant } from "./coupon.ts";
import type { OutboxCursor, OutboxPage } from "./delivery.ts";
import type { EventKind, LedgerEvent } from "./ledger-event.ts";

/** The milestones of a sale, in the order in which one event can cause them. */
const MILESTONES = ["started", "reopened", "sold_out", "ended"] as const;
type Milestone = (typeof MILESTONES)[number];

/** The types of messages that an endpoint can receive. */
export const WEBHOOK_EVENTS = [
  "claim.granted",
  "claim.revoked",
  "hold.created",
  "hold.released",
  "hold.expired",
  "coupon.created",
  "coupon.changed",
  "coupon.archived",
  "coupon.started",
  "coupon.reopened",
  "coupon.sold_out",
  "coupon.ended",
  "coupon.deleted",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** When each message is sent, in a sentence. */
export const WHEN_SENT = {
  "claim.granted": "A user got a unit. The data is the receipt.",
  "claim.revoked": "The operator took a claim back.",
  "hold.created": "A unit is kept for a user.",
  "hold.released": "A hold was released before its end.",
  "hold.expired": "A hold reached its end, and its unit returned to the stock.",
  "coupon.created": "A coupon was created, with these settings.",
  "coupon.changed": "The operator changed a coupon, or paused or resumed its sale. These are its settings from then on.",
  "coupon.archived": "The operator closed a sale for good. All its holds ended.",
  "coupon.started": "A sale entered its window.",
  "coupon.reopened": "A sale that was sold out or ended can sell again.",
  "coupon.sold_out": "The last unit was claimed or held, or the amount was lowered.",
  "coupon.ended": "A sale left its window, or was archived.",
  "coupon.deleted": "The operator deleted a coupon. Nothing follows of this epoch.",
} as const satisfies Record<WebhookEvent, string>;

const TYPE_OF_KIND = {
  created: "coupon.created",
  changed: "coupon.changed",
  claimed: "claim.granted",
  released: "claim.revoked",
  held: "hold.created",
  given_back: "hold.released",
  expired: "hold.expired",
  archived: "coupon.archived",
  // Without the user's id it would be of no use to a receiver.
  erased: null,
} as const satisfies Record<EventKind, WebhookEvent | null>;

/** The facts of a coupon that make its milestones. */
export type Sale = Pick<Coupon, "amount" | "claimed" | "held" | "startsAt" | "endsAt" | "archivedAt">;

/** What a message is about: its event, or the last event before its milestone, and the sale after it. */
export type WebhookFacts = Pick<LedgerEvent, "seq" | "actor" | "userId" | "position" | "settings" | "expiresAt"> & {
  readonly couponName: string;
  readonly epoch: string;
  readonly sale: Sale;
};

/** One message. Each delivery of it has the same id. `src/webhooks/payload.ts` makes its wire form. */
export type WebhookMessage = {
  readonly id: string;
  readonly type: WebhookEvent;
  readonly at: Instant;
  readonly data: WebhookFacts;
};

/** A message for the operator who tests an endpoint. */
export type TestMessage = { readonly id: string; readonly type: "webhook.test"; readonly at: Instant };

/** How far the messages of one incarnation were made: up to the event `seq`, and up to the instant `at`. */
export type Fold = OutboxCursor & { readonly at: Instant; readonly sale: Sale };

/** Messages to deliver in this order. Then `cursor` and `fold` are what a sink has. Nothing follows a deletion: its fold is null. */
export type Step = { readonly messages: readonly WebhookMessage[]; readonly cursor: OutboxCursor; readonly fold: Fold | null };

type Moment = Pick<Fold, "at" | "sale">;

/**
 * Returns the milestones between two moments of a sale. `before` is null for a coupon that did not exist. A pause changes
 * none of them. A sale reopens when it can sell again, so units that return after its end reopen nothing.
 */
export function milestones(before: Moment | null, after: Moment): readonly Milestone[] {
  const [from, to] = [before === null ? "before" : phaseOf(before), phaseOf(after)];
  const hadUnits = before === null || remaining(before.sale) > 0;
  const hasUnits = remaining(after.sale) > 0;
  const reached: Record<Milestone, boolean> = {
    started: from === "before" && to === "within",
    reopened: to === "within" && hasUnits && (from === "after" || (from === "within" && !hadUnits)),
    sold_out: hadUnits && !hasUnits,
    ended: from !== "after" && to === "after",
  };
  return MILESTONES.filter((milestone) => reached[milestone]);
}

/** Returns the next instant after `now` at which time alone makes a milestone, or null. */
export function nextEdgeAt({ startsAt, endsAt, archivedAt }: Sale, now: Instant): Instant | null {
  return [startsAt, endsAt].find((at) => at !== null && at > now && archivedAt === null) ?? null;
}

/**
 * Makes the messages of a page, in steps. `fold` is that of the sink's last step. Null begins with the first event. The same
 * ledger makes the same messages, whatever its pages are. A window edge comes before the events of its instant. Each step is made
 * when it is asked for, so that an endpoint that hangs keeps one message, and not those of the page.
 */
export function* steps(fold: Fold | null, name: string, page: OutboxPage): Generator<Step, void, void> {
  const { epoch, events, deletion, coupon, now, hasMore } = page;
  let last = fold?.epoch === epoch ? fold : null;
  const stepTo = (next: Fold, own: readonly WebhookMessage[], kept: Fold | null = next): Step => {
    const reached = milestones(last, next).map((milestone) => milestoneMessage(milestone, name, next));
    last = next;
    return { messages: [...own, ...reached], cursor: { epoch, seq: next.seq }, fold: kept };
  };
  function* edgesTo(until: Instant): Generator<Step, void, void> {
    for (let at = edgeOf(last); at !== null && at <= until; at = edgeOf(last)) if (last !== null) yield stepTo({ ...last, at }, []);
  }
  for (const event of events) {
    yield* edgesTo(event.at);
    // The head's facts are the coupon's own. They also correct a ledger that is older than `wasHeld`.
    const sale = event.seq === coupon.seq ? saleOf(coupon) : saleAfter(last?.sale ?? null, event);
    const next = { epoch, seq: event.seq, at: event.at, sale };
    const type = TYPE_OF_KIND[event.kind];
    yield stepTo(next, type === null ? [] : [message(type, name, next, event)]);
  }
  if (deletion !== null) {
    yield* edgesTo(deletion.at);
    const next = { epoch, seq: deletion.seq, at: deletion.at, sale: last?.sale ?? saleOf(coupon) };
    yield stepTo(next, [message("coupon.deleted", name, next, { ...deletion, userId: null, position: null })], null);
  } else if (!hasMore) yield* edgesTo(now);
}

/** Returns the next instant at which time alone makes a milestone for a sink with this fold, or null. */
export function edgeOf(fold: Fold | null): Instant | null {
  return fold === null ? null : nextEdgeAt(fold.sale, fold.at);
}

function phaseOf({ at, sale }: Moment): ReturnType<typeof windowPhase> {
  return sale.archivedAt === null ? windowPhase(sale, at) : "after";
}

function saleOf({ amount, claimed, held, startsAt, endsAt, archivedAt }: Coupon): Sale {
  return { amount, claimed, held, startsAt, endsAt, archivedAt };
}

/** Returns the facts after an event. Null is the time before the first one. */
function saleAfter(sale: Sale | null, { kind, at, settings, wasHeld }: LedgerEvent): Sale {
  if (settings !== undefined) {
    const { amount, startsAt, endsAt } = settings;
    return { claimed: sale?.claimed ?? 0, held: sale?.held ?? 0, archivedAt: null, amount, startsAt, endsAt };
  }
  assert(sale !== null, "a ledger begins with the coupon's creation");
  const { claimed, held } = sale;
  switch (kind) {
    case "claimed":
      return { ...sale, claimed: claimed + 1, held: wasHeld === true ? held - 1 : held };
    case "released":
      return { ...sale, claimed: claimed - 1 };
    case "held":
      return { ...sale, held: held + 1 };
    case "given_back":
    case "expired":
      return { ...sale, held: held - 1 };
    case "erased":
      return sale;
    default:
      return { ...sale, held: 0, archivedAt: at };
  }
}

type Cause = Omit<LedgerEvent, "kind">;

function message(type: WebhookEvent, couponName: string, { epoch, sale }: Fold, { at, ...event }: Cause): WebhookMessage {
  return { id: `msg_${epoch}_${event.seq}`, type, at, data: { ...event, couponName, epoch, sale } };
}

function milestoneMessage(milestone: Milestone, name: string, fold: Fold): WebhookMessage {
  const { id, ...fields } = message(`coupon.${milestone}`, name, fold, {
    seq: fold.seq,
    at: fold.at,
    actor: null,
    userId: null,
    position: null,
  });
  return { id: `${id}_${milestone}`, ...fields };
}
