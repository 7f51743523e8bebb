// Bugs to plant into the restore of a backup.

import { bug, type PlantedBug } from "./planted-bug.ts";

export const RESTORE_BUGS: Readonly<Record<string, PlantedBug>> = {
  "restore-drops-holds": bug("A restored coupon has no hold.", [
    "engine/restore",
    'if (kind === "held" && expiresAt !== undefined) store.holds.insert(',
    'if (kind === "held" && expiresAt === 0) store.holds.insert(',
  ]),
  "restore-reuses-a-position": bug("A restored coupon goes on behind its claims, not behind its last position.", [
    "domain/backup",
    "const facts = { seq, createdAt, archivedAt, claimed, held, lastPosition };\n  return { ...settingsOf(replayed)",
    "const facts = { seq, createdAt, archivedAt, claimed, held, lastPosition: lastPosition > claimed ? claimed : lastPosition };\n  return { ...settingsOf(replayed)",
  ]),
  "restore-forgets-keys": bug("A retry after a restore does not find the idempotency key.", [
    "engine/restore",
    "remainingAfter, key, attemptId: request }",
    "remainingAfter, key: null, attemptId: request }",
  ]),
  "restore-refused-after-its-commit": bug("A read after the commit fails, and the answer says that nothing was restored.", [
    "engine/restores",
    "      this.#setUntil(stored.kept);\n",
    "      this.discardOverdue(-Infinity);\n",
  ]),
  "discarded-restore-not-noticed": bug("The courier keeps its rows if a restore was discarded.", [
    "object/courier-notice",
    "return after === 0 && (",
    "return after < 0 && (",
  ]),
  "restored-erasure-undone": bug("A restored coupon does not recognize erased users.", [
    "engine/restore",
    "NO_CLAIM_COUNTS, before.erasureKey)",
    'NO_CLAIM_COUNTS, before.erasureKey && "another key")',
  ]),
};
