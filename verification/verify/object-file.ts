// Copies one object's file and checks the coupon in it.

import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { isOf, type Api, type ApiReading } from "./api.ts";
import { checksOf, deliveryCheck } from "./checks.ts";
import { copyWhole, removeCopy } from "./copy.ts";
import { fileOf } from "./state-folder.ts";
import type { ReadModel } from "./read-model.ts";
import { contentOf, nameIn, readable, tablesOf } from "./tables.ts";
import type { Check, Receipt } from "./verify.ts";

/** A copy is made again when the coupon changed before the API's answer, or was created again. */
const COPIES_MAX = 10;

/** What the checks need beside the file. */
export type Means = {
  /** Where the copy goes. */
  readonly copy: string;
  readonly api: Api | null;
  /** The copy of the read model. Null where there is none. */
  readonly readModel: ReadModel | null;
  /** Whether the read model must have every event. */
  readonly isDelivered: boolean;
  /** The receipts that clients got, by coupon. Null where they are unknown. */
  readonly receipts: ReadonlyMap<string, readonly Receipt[]> | null;
  /** The coupons whose names are known, by file name. */
  readonly names: ReadonlyMap<string, string>;
  /** The only coupon to check, if any. */
  readonly wanted: string | undefined;
};

/**
 * Checks the coupon in a file. Returns nothing where the file has no coupon, or not the wanted one. Throws
 * {@link CommandFailure} where the file is another program's.
 */
export async function checksOfFile(path: string, means: Means): Promise<readonly Check[]> {
  const { copy, api, receipts, names, wanted, readModel, isDelivered } = means;
  const file = basename(path);
  let reading: (ApiReading & { readonly epoch: string }) | undefined;

  for (let copyCount = 1; copyCount <= COPIES_MAX; copyCount += 1) {
    if (!(await copyWhole(path, copy))) return [];
    const database = new DatabaseSync(copy, { readOnly: true });
    try {
      // A file that can't be read counts as a coupon's. Each of its checks fails.
      const content = readable(() => contentOf(database, path), "coupon");
      if (content === null) return [];
      const tables = tablesOf(database);
      if (content === "departed") {
        const deleted = readable(() => tables.departed[0]?.name, undefined) ?? names.get(file) ?? file;
        const isWanted = readModel !== null && (wanted ?? deleted) === deleted;
        return isWanted ? [deliveryCheck({ coupon: deleted, tables, readModel, isDelivered }, false)] : [];
      }
      const row = readable(() => tables.coupon, null);
      // A coupon that can't be read is named after its file.
      const name = row?.name ?? readable(() => nameIn(database), null) ?? names.get(file) ?? `object ${file.slice(0, 12)}…`;
      if (wanted !== undefined && name !== wanted) return [];
      const evidence = {
        coupon: name,
        tables,
        isInItsFile: row === null || fileOf(name) === file,
        receipts: receipts === null ? null : (receipts.get(name) ?? []),
        readModel,
        isDelivered,
      };
      if (row === null) return checksOf({ ...evidence, api: "the coupon's name can't be read" });
      if (api === null) return checksOf({ ...evidence, api: "no API to compare with: set --url" });
      if (reading?.epoch === row.epoch) return checksOf({ ...evidence, api: reading });
      const answer = await api.read(name, row.seq);
      reading = { answer, headBefore: row.seq, epoch: row.epoch };
      if (isOf(answer, row.seq)) return checksOf({ ...evidence, api: reading });
    } finally {
      database.close();
      await removeCopy(copy);
    }
  }
  throw new CommandFailure(`the coupon in ${path} was deleted and created again during every read`);
}
