// Writes a backup: a line for the coupon, one for each event, and one with a hash. Instants are epoch milliseconds, as stored.

import type { BackupEnd, BackupEvent, BackupHeader } from "./domain/backup.ts";
import { named } from "./domain/coupon.ts";
import type { BackupResult } from "./domain/rpc.ts";
import { hexOf } from "./domain/sha256.ts";
import { jsonLine } from "./wire.ts";

export const BACKUP_FORMAT = "doorbuster-backup";
export const BACKUP_VERSION = 1;

export function headerLine({
  name,
  epoch,
  seq,
  at,
  createdAt,
  archivedAt,
  claimed,
  held,
  lastPosition,
  erasureKey,
  ...of
}: BackupHeader): string {
  const facts = {
    seq,
    as_of: at,
    created_at: createdAt,
    archived_at: archivedAt,
    claimed,
    held,
    last_position: lastPosition,
    erasure_key: erasureKey,
  };
  return lineOf({ format: BACKUP_FORMAT, version: BACKUP_VERSION, name, epoch, ...facts, ...named(of) });
}

/** A field without a value is left out. */
export function eventLine({ seq, at, kind, userId, position, data, actor, key, attemptId, attemptIds }: BackupEvent): string {
  const names = { user_id: userId, position, data, actor, idempotency_key: key, attempt_id: attemptId };
  const present = Object.entries(names).filter(([, value]) => value !== null);
  const released = attemptIds.length === 0 ? {} : { attempt_ids: attemptIds };
  return lineOf({ seq, at, kind, ...Object.fromEntries(present), ...released });
}

export function endLine(end: BackupEnd): string {
  return lineOf(end);
}

export function errorLine(error: string): string {
  return lineOf({ error });
}

function lineOf(value: object): string {
  return `${jsonLine(value)}\n`;
}

export type BackupPage = Extract<BackupResult, { readonly ok: true }>;
const utf8 = new TextEncoder();

/**
 * Makes a backup that begins with `first`, a page at a time. `read` returns the page after an event, up to the last event of `first`.
 * Throws if a page can't be read.
 */
export async function* backupChunks(
  first: BackupPage,
  read: (after: number) => Promise<BackupPage | { readonly ok: false; readonly code: string; readonly cause?: unknown }>,
): AsyncGenerator<Uint8Array, void, void> {
  const { epoch, seq } = first.header;
  const digest = new crypto.DigestStream("SHA-256");
  const hash = digest.getWriter();
  let page = first;
  for (;;) {
    const lines = page.events.map(eventLine).join("");
    const bytes = utf8.encode(page === first ? headerLine(first.header) + lines : lines);
    await hash.write(bytes);
    yield bytes;
    if (page.next === null) break;
    const result = await read(page.next);
    if (!result.ok) throw new Error(`the backup ended early: ${result.code}`, { cause: result.cause });
    page = result;
  }
  await hash.close();
  yield utf8.encode(endLine({ epoch, seq, sha256: hexOf(new Uint8Array(await digest.digest)) }));
}
