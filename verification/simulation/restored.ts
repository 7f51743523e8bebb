// What an incarnation has from a backup: the same events as its source.

import type { LedgerEvent } from "../model/types.ts";
import { backupName } from "./backups.ts";
import type { Database } from "./database.ts";

/** The source of a restored incarnation, and the coupon's time when it was backed up. */
export type Restored = { readonly epoch: string; readonly seq: number; readonly asOf: number };

/** Returns the backup that an incarnation was restored from, or null. */
export function restoredIn(database: Database): Restored | null {
  if (!database.isDefined) return null;
  const names = ["epoch", "seq", "as_of"].map((name) => `data ->> 'restored_${name}' AS ${name}`).join(", ");
  const [row] = database.rows(`SELECT ${names} FROM ledger WHERE seq = 1`);
  const { epoch = null, seq = null, as_of: asOf = null } = row ?? {};
  return epoch === null ? null : { epoch: String(epoch), seq: Number(seq), asOf: Number(asOf) };
}

/** Marks the events that came with a backup. */
export function markedEvents(events: readonly LedgerEvent[], restored: Restored | null): readonly LedgerEvent[] {
  if (restored === null) return events;
  const backup = backupName(restored);
  return events.map((event) => (event.seq > restored.seq ? event : { ...event, restored: { backup, isLast: event.seq === restored.seq } }));
}

/** How the events of a restored incarnation differ from those of its source; null where they do not. */
export function restoredFault(events: readonly LedgerEvent[], source: readonly LedgerEvent[], { seq }: Restored): string | null {
  for (let index = 0; index < seq; index += 1) {
    const [is, should] = [textOf(events[index]), textOf(source[index])];
    if (is !== should) return `event ${index + 1} was restored as ${is}, and ${should} is right`;
  }
  return null;
}

/** An event without what a backup need not have: the request of a hold, and the names before an erasure. */
function textOf(event: LedgerEvent | undefined): string {
  const { restored: _restored, alias: _alias, ...facts } = event ?? {};
  return JSON.stringify(event?.kind === "held" ? { ...facts, attempt: undefined } : facts);
}
