// The claims on disk after a kill, read from copies of the objects' files.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { copyWhole, removeCopy } from "../verify/copy.ts";
import { stateFolder } from "../verify/state-folder.ts";
import { tablesOf, Unreadable } from "../verify/tables.ts";
import type { Stored, StoredClaim } from "./accounting.ts";

/**
 * The claims of every coupon below `state`. Call it while no server runs. It opens only copies, because
 * opening a database recovers it, and that is the restart's work.
 */
export async function storedClaims(state: string): Promise<Stored> {
  const { folder, files } = await stateFolder(state);
  const copy = join(state, "copy.sqlite");
  const claims = new Map<string, readonly StoredClaim[]>();
  const unreadable: string[] = [];
  for (const file of files) {
    await copyWhole(join(folder, file), copy);
    try {
      const read = claimsIn(copy);
      if (typeof read === "string") unreadable.push(`${file} can't be read: ${read}`);
      else claims.set(read.coupon, read.claims);
    } finally {
      await removeCopy(copy);
    }
  }
  return { claims, unreadable };
}

/** The claims in one file, or why it can't be read. */
function claimsIn(copy: string): { readonly coupon: string; readonly claims: readonly StoredClaim[] } | string {
  const database = new DatabaseSync(copy, { readOnly: true });
  try {
    const tables = tablesOf(database);
    const { name: coupon } = tables.coupon;
    const claims = tables.claims.map(({ userId, position, key, claimedAt }) => ({
      coupon,
      userId,
      position,
      key,
      claimedAt: new Date(claimedAt).toISOString(),
    }));
    return { coupon, claims };
  } catch (cause) {
    if (cause instanceof Unreadable) return cause.message;
    throw cause;
  } finally {
    database.close();
  }
}
