// The ninth check: the read model has the events of a coupon's ledgers, and what follows from them.

import type { Findings } from "./checks.ts";
import { rowFaults, type Kind } from "./ledger-check.ts";
import type { ModelClaim, ModelRows, ReadModel } from "./read-model.ts";
import { factsIn, replay, type Replayed } from "./replay.ts";
import { SETTINGS, settingsIn } from "./settings.ts";
import type { DepartedRow, EventRow, Tables } from "./tables.ts";
import { counted, instant, quoted } from "./words.ts";

/** One incarnation of a coupon, as its file has it. `deletedAt` is null for the one that lives. */
type Incarnation = Omit<DepartedRow, "deletedAt"> & { readonly deletedAt: number | null };
type Compared = { readonly faults: readonly string[]; readonly behindCount: number };

/**
 * Compares the read model with all ledgers in a file. The read model was copied first. It may be behind, unless `isDelivered`.
 * `hasCoupon` is false where only deleted incarnations are left.
 */
export function deliveryFindings(tables: Tables, readModel: ReadModel, hasCoupon: boolean, isDelivered: boolean): Findings {
  const { departed } = tables;
  const all: Incarnation[] = [...departed, ...(hasCoupon ? [{ ...tables.coupon, ledger: tables.ledger, deletedAt: null }] : [])];
  const compared = all.map((one) => compare(one, readModel.rowsOf(one.epoch)));
  const behindCount = compared.reduce((sum, one) => sum + one.behindCount, 0);
  const behind = behindCount === 0 ? "" : `; the read model is ${counted(behindCount, "event")} behind`;
  const faults = [
    ...departed.flatMap(departedFaults),
    ...compared.flatMap((one) => one.faults),
    ...(isDelivered && behindCount > 0 ? [behind.slice(2)] : []),
  ];
  return { faults, summary: `${counted(all.length, "ledger")} compared${behind}` };
}

/** The faults of an incarnation that is in no file. Nothing but its coupon's row may be left of it. */
export function forgottenFaults(epoch: string, { coupon, claims, events }: ModelRows): string[] {
  if (coupon === null || coupon.deletedAt === null) return [`the incarnation ${quoted(epoch)} is in the read model and in no file`];
  const left = claims.length + events.length;
  return left === 0 ? [] : [`the deleted incarnation ${quoted(epoch)} has ${counted(left, "row")} in the read model`];
}

function departedFaults({ epoch, ledger, seq, claimed }: DepartedRow): string[] {
  const replayed = replay(ledger);
  const isWhole = replayed.seq === seq && replayed.claims.size === claimed;
  const found = `event ${replayed.seq} and ${counted(replayed.claims.size, "claim")}, not with event ${seq} and ${claimed}`;
  const faults = [...replayed.faults, ...(isWhole ? [] : [`ends with ${found}`])];
  return faults.map((fault) => `the ledger of the deleted incarnation ${quoted(epoch)}: ${fault}`);
}

function compare({ name, seq: head, ledger, deletedAt }: Incarnation, { coupon, claims, events }: ModelRows): Compared {
  // A deletion is one more event, and erases the rows of the others.
  const last = head + (deletedAt === null ? 0 : 1);
  if (coupon === null) {
    const left = claims.length + events.length;
    return { faults: left === 0 ? [] : [`${counted(left, "row")} in the read model, and no coupon`], behindCount: last };
  }
  if (coupon.deletedAt !== null) {
    const isSame = coupon.deletedAt === deletedAt;
    const wrong = `the deletion is ${instant(coupon.deletedAt)} in the read model, and ${deletedAt === null ? "never" : instant(deletedAt)}`;
    return { faults: isSame ? [] : [wrong], behindCount: Math.min(claims.length + events.length, 1) };
  }
  const until = events.at(-1)?.seq ?? 0;
  const stored = events.map(comparable);
  const own = beforeErasures(ledger, until, new Map(events.map(({ seq, userId }) => [seq, userId])));
  const faults = [
    ...rowFaults(EVENT, stored, new Map(own.map((event) => [event.seq, comparable(event)]))),
    ...rowFaults(CLAIM, claims, claimsOf(replay(own))),
    ...(coupon.seq < until
      ? [`the coupon is of event ${coupon.seq}, and its events go to ${until}`]
      : couponFaults(coupon, { name, ...replay(ledger, coupon.seq) })),
  ];
  return { faults: faults.map((fault) => `read model: ${fault}`), behindCount: last - until };
}

/** The events up to `until`. An erasure that the read model does not have yet leaves it the ids that it has. */
function beforeErasures(ledger: Iterable<EventRow>, until: number, users: ReadonlyMap<number, string | null>): EventRow[] {
  const all = Array.from(ledger);
  const later = all.filter(({ seq, kind }) => seq > until && kind === "erased").flatMap(({ data }) => factsIn(data)?.["seqs"] ?? []);
  const erased = new Set<unknown>(later);
  return all
    .filter(({ seq }) => seq <= until)
    .map((event) => (erased.has(event.seq) ? Object.assign(event, { userId: users.get(event.seq) ?? event.userId }) : event));
}

function couponFaults(coupon: NonNullable<ModelRows["coupon"]>, then: Replayed & { readonly name: string }): string[] {
  const pairs: readonly (readonly [what: string, stored: unknown, ofLedger: unknown])[] = [
    ["the name", coupon.name, then.name],
    ["the head", coupon.seq, then.seq],
    ...SETTINGS.map(([field, { what }]) => [what, coupon[field], then[field]] as const),
    ["claimed", coupon.claimed, then.claims.size],
    ["held", coupon.held, then.holds.size],
    ["the last position", coupon.lastPosition, then.lastPosition],
    ["the creation", coupon.createdAt, then.createdAt],
    ["the archive", coupon.archivedAt, then.archivedAt],
  ];
  const wrong = pairs.filter(([, stored, ofLedger]) => stored !== ofLedger);
  return wrong.map(([what, stored, ofLedger]) => `${what} is ${String(stored)}, and ${String(ofLedger)} by the ledger`);
}

function claimsOf({ claims, releases }: Replayed): ReadonlyMap<number, ModelClaim> {
  const all = new Map<number, ModelClaim>();
  for (const { position, userId, claimedAt } of claims.values()) all.set(position, { position, userId, claimedAt, revokedAt: null });
  for (const { position, userId, claimedAt, releasedAt } of releases.values())
    all.set(position, { position, userId, claimedAt, revokedAt: releasedAt });
  return all;
}

/** An event whose details have an order. Events of version 1 lack settings and actors, which the read model gives. */
function comparable({ data, actor, ...event }: EventRow): EventRow {
  if (data === null) return { ...event, data, actor: actor ?? null };
  const facts = factsIn(data) ?? { data };
  const settings = "amount" in facts ? SETTINGS.map(([field, { name }]) => [name, settingsIn(facts)[field]] as const) : [];
  const all = [...new Map<string, unknown>([...settings, ...Object.entries(facts)])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ...event, data: JSON.stringify(all), actor: actor ?? null };
}

const EVENT: Kind<"seq", EventRow> = {
  key: "seq",
  fields: ["seq", "at", "kind", "userId", "position", "data", "actor"],
  words: ({ seq, kind, userId }) => `event ${seq} (${kind}${userId === null ? "" : ` ${quoted(userId)}`})`,
};
const CLAIM: Kind<"position", ModelClaim> = {
  key: "position",
  fields: ["position", "userId", "claimedAt", "revokedAt"],
  words: ({ position, userId, revokedAt }) =>
    `the claim of ${quoted(userId)} at position ${position}${revokedAt === null ? "" : `, revoked ${instant(revokedAt)},`}`,
};
