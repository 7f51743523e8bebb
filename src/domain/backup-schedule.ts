// When a coupon is backed up by itself, and the name of the file.

import { BACKUP_EVERY_MS } from "./backup-limits.ts";
import type { Coupon, Instant } from "./coupon.ts";
import type { OutboxCursor } from "./delivery.ts";

type Facts = Pick<Coupon, "epoch" | "seq" | "createdAt" | "endsAt" | "archivedAt">;

/**
 * Returns when the next backup is due: at the end of the sale, and a day after the last backup, or after the coupon's creation. Null if
 * the last backup, of `cursor` at `backedUpAt`, has every event.
 */
export function nextBackupAt(
  { epoch, seq, createdAt, endsAt, archivedAt }: Facts,
  cursor: OutboxCursor | null,
  backedUpAt: Instant | null,
): Instant | null {
  const isOfCoupon = cursor?.epoch === epoch;
  if (isOfCoupon && cursor.seq === seq) return null;
  const lastAt = isOfCoupon ? backedUpAt : null;
  const dayAt = (lastAt ?? createdAt) + BACKUP_EVERY_MS;
  const endAt = archivedAt ?? endsAt;
  return endAt !== null && (lastAt === null || lastAt < endAt) ? Math.min(dayAt, endAt) : dayAt;
}

/** Returns the key of a backup. R2 allows 1,024 bytes, and an epoch is unique, so a long name may be cut. */
export function backupKey(name: string, epoch: string, seq: number): string {
  return `${encodeURIComponent(name).slice(0, 900)}/${epoch}/${seq}.ndjson`;
}
