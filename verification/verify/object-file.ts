// One object's file, from its copy to the checks of the coupon in it.

import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { CommandFailure } from "../cli/command.ts";
import { isOf, type Api, type ApiReading } from "./api.ts";
import { checksOf } from "./checks.ts";
import { copyWhole, removeCopy } from "./copy.ts";
import { fileOf } from "./state-folder.ts";
import { hasCoupon, nameIn, tablesOf, Unreadable, type CouponRow, type Tables } from "./tables.ts";
import type { Check, Told } from "./verify.ts";

/** Copies are taken anew when the coupon went on between a copy and the API's answer; more often only when it was made anew. */
const COPIES_MAX = 10;

/** What the checks of a file need beside the file. */
export type Means = {
  /** Where the copy goes. */
  readonly copy: string;
  readonly api: Api | null;
  /** What clients were told, by coupon; null where that is not known. */
  readonly told: ReadonlyMap<string, readonly Told[]> | null;
  /** What the files of coupons are called that somebody named. */
  readonly names: ReadonlyMap<string, string>;
  /** The only coupon that is asked for, if any. */
  readonly wanted: string | undefined;
};

/**
 * Checks the coupon in a file; none where there is no coupon in it, or not the one that is wanted. Throws {@link CommandFailure}
 * where what is in there is not ours.
 */
export async function checksOfFile(path: string, means: Means): Promise<readonly Check[]> {
  const { copy, api, told, names, wanted } = means;
  const file = basename(path);
  let asked: (ApiReading & { readonly epoch: string }) | undefined;

  for (let copyCount = 1; copyCount <= COPIES_MAX; copyCount += 1) {
    if (!(await copyWhole(path, copy))) return [];
    const database = new DatabaseSync(copy, { readOnly: true });
    try {
      if (!isCoupon(database, path)) return [];
      const tables = tablesOf(database);
      const row = couponIn(tables);
      // What can't be read is known by its file's name, if at all.
      const name = row?.name ?? nameOrNull(database) ?? names.get(file) ?? `object ${file.slice(0, 12)}…`;
      if (wanted !== undefined && name !== wanted) return [];
      const evidence = {
        coupon: name,
        tables,
        isInItsFile: row === null || fileOf(name) === file,
        told: told === null ? null : (told.get(name) ?? []),
      };
      if (row === null) return checksOf({ ...evidence, api: "it is not known for which coupon to ask" });
      if (api === null) return checksOf({ ...evidence, api: "no API to ask: name one with --url" });
      if (asked?.epoch === row.epoch) return checksOf({ ...evidence, api: asked });
      const answer = await api.read(name, row.seq);
      asked = { answer, headBefore: row.seq, epoch: row.epoch };
      if (isOf(answer, row.seq)) return checksOf({ ...evidence, api: asked });
    } finally {
      database.close();
      await removeCopy(copy);
    }
  }
  throw new CommandFailure(`the coupon in ${path} was deleted and created again each time that it was looked at`);
}

/** What can't be read is taken for a coupon's: each check will say so. */
function isCoupon(database: DatabaseSync, path: string): boolean {
  try {
    return hasCoupon(database, path);
  } catch (cause) {
    if (cause instanceof Unreadable) return true;
    throw cause;
  }
}

function nameOrNull(database: DatabaseSync): string | null {
  try {
    return nameIn(database);
  } catch (cause) {
    if (cause instanceof Unreadable) return null;
    throw cause;
  }
}

function couponIn(tables: Tables): CouponRow | null {
  try {
    return tables.coupon;
  } catch (cause) {
    if (cause instanceof Unreadable) return null;
    throw cause;
  }
}
