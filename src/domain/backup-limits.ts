// The bounds of backups and restores, each with its unit, its reason, and what it prevents. The others are in limits.ts.

/** Most characters of details in one page of a backup. Prevents 5,000 changes of a sale's texts, 65 MB, in one RPC. */
export const BACKUP_DETAILS_MAX = 4_000_000;

/** How long a restore that is not finished is kept, in milliseconds. Prevents rows that belong to no coupon from staying. */
export const RESTORE_MS_MAX = 86_400_000;

/** Most parts of one restore. Each of 1 MiB, they have more than the 10 GB of one object. */
export const RESTORE_PARTS_MAX = 10_000;
