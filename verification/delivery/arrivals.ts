// Compares what the endpoints have received with the ledgers and with what callers got. It uses no server and no file.

import type { EventRow } from "../verify/tables.ts";
import type { Receipt } from "../verify/verify.ts";
import type { Entry } from "./receiver.ts";

/** What an endpoint is registered for. Null is all coupons. It wants deletions, because the order needs them. */
export type Registration = { readonly events: readonly string[]; readonly coupons: readonly string[] | null };

/** The coupons at the end: each with the epoch and the ledger of its living incarnation. */
export type Ledgers = ReadonlyMap<string, { readonly epoch: string; readonly events: readonly EventRow[] }>;

export type Message = {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly coupon: string;
  readonly epoch: string;
  readonly seq: number;
  readonly userId: unknown;
  readonly position: unknown;
};

/** What one endpoint has received. */
type Received = { readonly messages: ReadonlyMap<string, Message>; readonly faults: readonly string[]; readonly repeatedCount: number };

export type Verdict = {
  readonly messageCount: number;
  /** Arrivals of messages that had arrived before. */
  readonly repeatedCount: number;
  /** One sentence each. */
  readonly faults: readonly string[];
  /** The receipts of incarnations that are not known to be deleted. */
  readonly living: readonly Receipt[];
};

const TYPES: Readonly<Record<string, string>> = {
  created: "coupon.created",
  changed: "coupon.changed",
  archived: "coupon.archived",
  claimed: "claim.granted",
  released: "claim.revoked",
  held: "hold.created",
  given_back: "hold.released",
  expired: "hold.expired",
};

/** All events that an endpoint can want. */
export const ALL_EVENTS: readonly string[] = [
  ...Object.values(TYPES),
  ...["started", "sold_out", "reopened", "ended", "deleted"].map((milestone) => `coupon.${milestone}`),
];

/** Judges the log of a receiver. `receipts` are all claims that callers got, also of coupons that were deleted later. */
export function judge(
  log: readonly Entry[],
  registrations: readonly Registration[],
  ledgers: Ledgers,
  receipts: readonly Receipt[],
): Verdict {
  const all = registrations.map((_, endpoint) => received(log.filter((entry) => entry.endpoint === endpoint)));
  const everything = new Map([...all.flatMap(({ messages }) => [...messages]), ...messagesOf(ledgers)]);
  const asked = receipts.map((one) => ({ ...one, type: "claim.granted", at: one.claimedAt }));
  const faults = all.flatMap(({ messages, faults: own }, endpoint) => {
    const takes = isFor(registrations[endpoint]);
    const wanted = [...everything.values()].filter(takes);
    const claims = new Set([...messages.values()].filter(isGrant).map(claimText));
    return [
      ...own,
      ...wanted.filter(({ id }) => !messages.has(id)).map((message) => `${wordsOf(message)} is missing`),
      ...[...messages.values()].filter((message) => !takes(message)).map((message) => `${wordsOf(message)} was not wanted`),
      ...asked
        .filter((claim) => takes(claim) && !claims.has(claimText(claim)))
        .map((claim) => `the receipt ${claimText(claim)} is missing`),
      ...gapFaults(messages, registrations[endpoint]),
    ].map((fault) => `endpoint ${endpoint}: ${fault}`);
  });
  const count = (of: (one: Received) => number): number => all.reduce((sum, one) => sum + of(one), 0);
  const wrong = [...messagesOf(ledgers)].flatMap(([id, message]) => {
    const arrived = all.find(({ messages }) => messages.has(id))?.messages.get(id);
    return arrived === undefined || JSON.stringify(arrived) === JSON.stringify(message) ? [] : [`${wordsOf(arrived)} is not the ledger's`];
  });
  const epochs = new Set([...ledgers.values()].map(({ epoch }) => epoch));
  const deleted = new Set([...everything.values()].filter((one) => isGrant(one) && !epochs.has(one.epoch)).map(claimText));
  return {
    messageCount: count(({ messages }) => messages.size),
    repeatedCount: count((one) => one.repeatedCount),
    faults: [...faults, ...wrong],
    living: receipts.filter((one) => !deleted.has(claimText({ ...one, at: one.claimedAt }))),
  };
}

/** Reads the log of one endpoint: every message is the same each time, and the first times are in order. */
function received(log: readonly Entry[]): Received {
  const bodies = new Map<string, string>();
  const messages = new Map<string, Message>();
  const taken = new Set<string>();
  const lastOf = new Map<string, Message>();
  const faults: string[] = [];
  let repeatedCount = 0;
  for (const entry of log) {
    if (entry.is === "taken") {
      taken.add(entry.id);
      continue;
    }
    const { id, body, signatureFault } = entry;
    if (signatureFault !== null) faults.push(`${id} is not signed: ${signatureFault}`);
    const first = bodies.get(id);
    if (first !== undefined) {
      repeatedCount += 1;
      if (first !== body) faults.push(`${id} arrived with two bodies`);
      continue;
    }
    bodies.set(id, body);
    const message = messageIn(id, body);
    messages.set(id, message);
    const last = lastOf.get(message.coupon);
    lastOf.set(message.coupon, message);
    if (last !== undefined && !taken.has(last.id)) faults.push(`${wordsOf(message)} arrived before 200 for ${last.id}`);
    const fault = orderFault(last, message);
    if (fault !== null) faults.push(fault);
  }
  return { messages, faults, repeatedCount };
}

/** Within an incarnation, seqs grow, and milestones follow their event. A new incarnation follows the deletion. */
function orderFault(last: Message | undefined, next: Message): string | null {
  const isNew = last === undefined || last.epoch !== next.epoch;
  const isMilestone = next.id !== `msg_${next.epoch}_${next.seq}`;
  const isInOrder = isNew
    ? last === undefined || last.type === "coupon.deleted"
    : next.seq > last.seq || (next.seq === last.seq && isMilestone);
  return isInOrder ? null : `${wordsOf(next)} arrived after ${last === undefined ? "nothing" : wordsOf(last)}`;
}

/** An endpoint for everything has each seq of an incarnation, also of those whose ledger is gone. */
function gapFaults(messages: ReadonlyMap<string, Message>, registration: Registration | undefined): string[] {
  if (registration?.events !== ALL_EVENTS) return [];
  const heads = new Map<string, number>();
  const faults: string[] = [];
  for (const { epoch, seq } of messages.values()) {
    const head = heads.get(epoch) ?? 0;
    if (seq > head + 1) faults.push(`the incarnation ${epoch} has no event between ${head} and ${seq}`);
    heads.set(epoch, Math.max(head, seq));
  }
  return faults;
}

function messagesOf(ledgers: Ledgers): Map<string, Message> {
  const all = [...ledgers].flatMap(([coupon, { epoch, events }]) =>
    events.map(({ seq, at, kind, userId, position }) => {
      const who = { userId: userId ?? undefined, position: position ?? undefined };
      return { id: `msg_${epoch}_${seq}`, type: TYPES[kind] ?? kind, at: new Date(at).toISOString(), coupon, epoch, seq, ...who };
    }),
  );
  return new Map(all.map((message) => [message.id, message]));
}

function messageIn(id: string, body: string): Message {
  const { type, timestamp, data } = JSON.parse(body) as Readonly<Record<string, unknown>> & {
    readonly data: Readonly<Record<string, unknown>>;
  };
  const { coupon_name: coupon, epoch, seq, user_id: userId, position } = data;
  return {
    id,
    type: String(type),
    at: String(timestamp),
    coupon: String(coupon),
    epoch: String(epoch),
    seq: Number(seq),
    userId,
    position,
  };
}

function isGrant({ type }: Message): boolean {
  return type === "claim.granted";
}

/** Whether an endpoint wants a message. */
export function isFor(registration: Registration | undefined): (message: Pick<Message, "type" | "coupon">) => boolean {
  return ({ type, coupon }) => registration?.events.includes(type) === true && (registration.coupons?.includes(coupon) ?? true);
}

function claimText({ coupon, userId, position, at }: Pick<Message, "coupon" | "userId" | "position" | "at">): string {
  return `${coupon} ${String(userId)} ${String(position)} ${at}`;
}

function wordsOf({ id, type, coupon }: Message): string {
  return `${type} of ${coupon} (${id})`;
}
