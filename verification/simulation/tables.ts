// The tables that an incarnation of a coupon leaves: they must be what its ledger alone makes of it.

import { follow, left, type Coupon } from "../model/coupon.ts";
import type { Pseudonyms } from "../model/pseudonym.ts";
import { COUPON_ROW, eventsIn, readTables, storedFault, type HolderOf } from "../model/tables.ts";
import type { LedgerEvent } from "../model/types.ts";
import type { Database } from "./database.ts";
import { extraAnswerFault, type ExtraAnswer } from "./extra-answers.ts";

/** The ledger of one incarnation, and what is wrong with its tables; null where nothing is. */
export type Replayed = { readonly events: readonly LedgerEvent[]; readonly fault: string | null };

/**
 * Replays one incarnation from its ledger. `extraAnswers` are the answers of it that a history has no words
 * for.
 */
export function replayTables(database: Database, extraAnswers: readonly ExtraAnswer[], holderOf: HolderOf, names: Pseudonyms): Replayed {
  if (!database.isDefined) return { events: [], fault: null };
  const tables = readTables((query) => database.rows(query));
  const events = eventsIn(tables, holderOf, names);
  const [stored] = database.rows(COUPON_ROW);
  if (stored === undefined) return { events, fault: "there are tables and no coupon" };

  let coupon: Coupon | null = null;
  let fault: string | null = null;
  for (const event of events) {
    coupon = follow(coupon, event, event.attempt ?? null, event.key ?? null);
    for (const one of extraAnswers)
      if (one.result.seq === event.seq) fault ??= extraAnswerFault(one, coupon, String(stored["epoch"]), names);
    if (coupon === null) return { events, fault: "the ledger does not begin with a creation" };
    if (left(coupon) < 0) fault ??= `more is given out than there is, at event ${event.seq}`;
  }
  if (coupon === null) return { events, fault: "the ledger is empty" };
  return { events, fault: fault ?? storedFault(tables, stored, coupon, events.length, names) };
}
