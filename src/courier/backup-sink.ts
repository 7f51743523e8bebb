// Puts backups of a coupon into a bucket of R2: at the end of its sale, and once a day while its ledger grows.

import { backupChunks } from "../backup-file.ts";
import { BACKUP_LOOK_MS, BACKUP_PART_BYTES } from "../domain/backup-limits.ts";
import { backupKey, nextBackupAt } from "../domain/backup-schedule.ts";
import type { CouponCalls } from "../domain/rpc.ts";
import type { Delivered, Delivery } from "./delivery.ts";

const OPTIONS = { httpMetadata: { contentType: "application/x-ndjson" } } as const;

/** Takes a backup if one is due. Throws if the coupon can't be read, or the bucket can't be written. */
export async function deliverToBackups(
  bucket: R2Bucket,
  coupon: Pick<CouponCalls, "read" | "backup">,
  { name, sink, store }: Pick<Delivery, "name" | "sink" | "store">,
): Promise<Delivered> {
  const now = Date.now();
  const found = await coupon.read({ claimedBy: false });
  if (!found.ok && found.code === "coupon_not_found") return "all";
  if (!found.ok) throw new Error(`the coupon can't be read: ${found.code}`);
  const dueAt = nextBackupAt(found.coupon, sink.cursor, sink.deliveredAt);
  if (dueAt === null) return "all";
  if (dueAt > now) {
    store.advance(sink, { nextAttemptAt: Math.min(dueAt, now + BACKUP_LOOK_MS) });
    return "waits";
  }
  const first = await coupon.backup(null, 0, null);
  if (!first.ok) throw new Error(`the coupon can't be read: ${first.code}`);
  const { epoch, seq } = first.header;
  const chunks = backupChunks(first, (after) => coupon.backup(epoch, after, seq));
  await upload(bucket, backupKey(name, epoch, seq), chunks);
  store.advance(sink, { cursor: { epoch, seq }, deliveredAt: now });
  // The ledger may have grown meanwhile, without another notice.
  return "more";
}

/** Uploads chunks in parts of equal size, as R2 wants it. An upload that fails leaves no object. */
async function upload(bucket: R2Bucket, key: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const part = new Uint8Array(BACKUP_PART_BYTES);
  let length = 0;
  let multipart: R2MultipartUpload | null = null;
  const parts: R2UploadedPart[] = [];
  try {
    for await (const chunk of chunks) {
      let rest = chunk;
      while (length + rest.length > part.length) {
        part.set(rest.subarray(0, part.length - length), length);
        rest = rest.subarray(part.length - length);
        multipart ??= await bucket.createMultipartUpload(key, OPTIONS);
        parts.push(await multipart.uploadPart(parts.length + 1, part));
        length = 0;
      }
      part.set(rest, length);
      length += rest.length;
    }
    const last = part.subarray(0, length);
    if (multipart === null) await bucket.put(key, last, OPTIONS);
    else await multipart.complete([...parts, await multipart.uploadPart(parts.length + 1, last)]);
  } catch (cause) {
    await multipart?.abort().catch(() => undefined);
    throw cause;
  }
}
