// Checks at the end of a history that every sink has what the ledgers say, and that nothing is left behind.

import { SETTING_NAMES } from "../model/settings.ts";
import type { LedgerEvent } from "../model/types.ts";
import type { Context } from "./context.ts";
import type { Database, Row } from "./database.ts";
import type { Delivery, Taken } from "./delivery.ts";
import { messagesOf, type Message } from "./messages.ts";
import type { Restored } from "./restored.ts";

/** One incarnation: its tables, and its ledger as the model reads it. */
export type Incarnation = {
  readonly database: Database;
  readonly events: readonly LedgerEvent[];
  readonly epoch: string;
  /** The backup that it was restored from, if any. */
  readonly restored: Restored | null;
};

const COLUMNS = ["epoch, name, claimed, held, last_position, created_at, archived_at, seq", ...SETTING_NAMES].join(", ");

/** For each table of the read model: the rows that follow from the tables of an incarnation, which are checked by themselves. */
const DUE = {
  coupons: `SELECT ${COLUMNS}, (SELECT deleted_at FROM departed) AS deleted_at FROM coupon`,
  events: `SELECT epoch, ledger.seq, at, kind, user_id, position, actor, data FROM ledger, coupon WHERE NOT EXISTS (SELECT 1 FROM departed)
           ORDER BY ledger.seq`,
  claims: `SELECT epoch, position, user_id, claimed_at, NULL AS revoked_at FROM claims, coupon WHERE NOT EXISTS (SELECT 1 FROM departed)
           UNION ALL
           SELECT epoch, position, user_id, claimed_at, released_at FROM releases, coupon WHERE NOT EXISTS (SELECT 1 FROM departed)
           ORDER BY position`,
} as const;
const STORED = {
  coupons: `SELECT ${COLUMNS}, deleted_at FROM coupons ORDER BY epoch`,
  events: "SELECT epoch, seq, at, kind, user_id, position, actor, data FROM events ORDER BY epoch, seq",
  claims: "SELECT epoch, position, user_id, claimed_at, revoked_at FROM claims ORDER BY epoch, position",
} as const satisfies Record<keyof typeof DUE, string>;

/** `named` puts ids in the places of pseudonyms: a message is sent with the id, and again with the pseudonym. */
export function checkDelivery(
  context: Context,
  { courier, readModel, taken }: Delivery,
  incarnations: readonly Incarnation[],
  named: (body: string) => string,
): void {
  const { storage, breach, plan, count } = context;
  const isDeleted = storage.incarnation < storage.incarnations.length && storage.incarnation > 0;
  if (isDeleted && !storage.isEmpty) breach("empty", "the object keeps rows of a deleted coupon");
  if (isDeleted && !courier.isEmpty) breach("empty", "the courier keeps rows of a deleted coupon");
  for (const table of ["coupons", "events", "claims"] as const) {
    const due: readonly Row[] = incarnations.flatMap(({ database }) => database.rows(DUE[table]));
    const [is, should] = [JSON.stringify(readModel.rows(STORED[table])), JSON.stringify(due)];
    if (is !== should) breach("read model", `the read model has the ${table} ${is}, and ${should} is right`);
  }
  const messages = incarnations.flatMap(({ database, events, epoch, restored }) => {
    const [row] = database.rows(DUE.coupons);
    const all = messagesOf(epoch, events, row?.["deleted_at"] ?? null);
    // The source has sent the others.
    return all.filter(({ at }) => at > (restored?.asOf ?? -Infinity));
  });
  for (const { type } of messages) count(`message.${type}`);
  for (const [index, { is, events }] of plan.delivery?.receivers.entries() ?? []) {
    const due = messages.filter(({ type }) => events?.includes(type) !== false);
    const all = (taken[index] ?? []).map(({ id, body }) => ({ id, body: named(body) }));
    const fault = takenFault(all, due, is === "good");
    if (fault !== null) breach("webhooks", `receiver ${index} ${fault}`);
  }
}

/** Compares the first arrivals with the messages that are due. All must have arrived, or else the first ones. */
function takenFault(taken: readonly Taken[], due: readonly Message[], isAll: boolean): string | null {
  const bodies = new Map<string, string>();
  for (const { id, body } of taken) {
    const before = bodies.get(id);
    if (before !== undefined && before !== body) return `got ${id} as ${before} and as ${body}`;
    bodies.set(id, body);
  }
  const arrived = Array.from(bodies, ([id, body]) => JSON.stringify(messageIn(id, body)));
  const texts = due.map((message) => JSON.stringify(message));
  const wrong = arrived.findIndex((text, index) => text !== texts[index]);
  if (wrong !== -1) return `got as its message ${wrong + 1} ${arrived[wrong]}, and ${texts[wrong] ?? "none"} is right`;
  return isAll && arrived.length < texts.length ? `never got ${texts[arrived.length]}` : null;
}

function messageIn(id: string, body: string): Message {
  const { type, timestamp, data } = JSON.parse(body) as { type: string; timestamp: string; data: Readonly<Record<string, never>> };
  const { user_id: userId, position, remaining_amount: remaining, title, description, image_url: imageUrl } = data;
  const texts = title === undefined ? null : [title, description ?? null, imageUrl ?? null];
  return { id, type, at: Date.parse(timestamp), userId: userId ?? null, position: position ?? null, remaining: remaining ?? null, texts };
}
