// The bounds of backups and restores, each with its unit, its reason, and what it prevents. The others are in limits.ts.

/** Most characters of details in one page of a backup. Prevents 5,000 changes of a sale's texts, 65 MB, in one RPC. */
export const BACKUP_DETAILS_MAX = 4_000_000;

/** How long a restore that is not finished is kept, in milliseconds. Prevents rows that belong to no coupon from staying. */
export const RESTORE_MS_MAX = 86_400_000;

/** Most parts of one restore. Each of 1 MiB, they have more than the 10 GB of one object. */
export const RESTORE_PARTS_MAX = 10_000;

/** Shortest time between two backups that a courier takes of a coupon, but for the one at the end of its sale, in milliseconds. */
export const BACKUP_EVERY_MS = 86_400_000;

/** How often a courier reads whether a backup is due earlier, because the sale ends earlier than it did, in milliseconds. */
export const BACKUP_LOOK_MS = 3_600_000;

/** Bytes of one part of an upload. R2 takes parts from 5 MiB on. The courier keeps one part of its 128 MB. */
export const BACKUP_PART_BYTES = 8 * 1024 * 1024;

/** When a backup counts as hanging, in milliseconds. Cloudflare allows 1,000 calls in one, which is five million events. */
export const BACKUP_HANGS_MS = 600_000;
