// Faults in the erasure of users and in the restore of backups.

import { inNode, inWorkerd, type Mutation } from "../mutation.ts";
import { planted } from "./planted.ts";

export const ERASURE_MUTATIONS: readonly Mutation[] = [
  planted("erased-user-claims-again", inNode("rules/erasure")),
  planted("erased-users-share-a-key", inNode("rules/erasure")),
  planted("erasure-misses-the-read-model", inWorkerd("worker/sale/erase")),
  {
    name: "erasure-misses-deleted-coupons",
    fault: "The ledger of a deleted coupon keeps the id of an erased user.",
    edits: [
      {
        file: "src/engine/coupon-engine.ts",
        find: "for (const { coupon } of departed) eventCount +=",
        replace: "for (const { coupon } of departed.slice(1)) eventCount +=",
      },
    ],
    suite: inNode("rules/erasure"),
  },
  planted("restore-reuses-a-position", inNode("rules/backup")),
  planted("restore-refused-after-its-commit", inNode("rules/backup")),
  {
    name: "restore-of-a-damaged-backup",
    fault: "The hash of a backup is not compared.",
    edits: [{ file: "src/domain/backup.ts", find: "if (sha256 !== end.sha256)", replace: "if (sha256.length !== end.sha256.length)" }],
    suite: inWorkerd("worker/backup/restore"),
  },
];
