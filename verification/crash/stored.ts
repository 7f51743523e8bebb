// The claims on disk after a kill, read from copies of the objects' files.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { copyWhole, removeCopy } from "../verify/copy.ts";
import { stateFolder } from "../verify/state-folder.ts";
import { tablesOf, Unreadable, type Tables } from "../verify/tables.ts";
import type { Stored, StoredClaim } from "./accounting.ts";

/** The claims of every coupon below `state`. Call it while no server runs. */
export async function storedClaims(state: string): Promise<Stored> {
  const { found, unreadable } = await readEach(state, ({ coupon: { name: coupon }, claims }) => {
    const claimsOf = claims.map(({ userId, position, key, claimedAt }): StoredClaim => {
      return { coupon, userId, position, key, claimedAt: new Date(claimedAt).toISOString() };
    });
    return [coupon, claimsOf] as const;
  });
  return { claims: new Map(found), unreadable };
}

/**
 * What `read` finds in each object's file below `state`, and why the others are unreadable. It opens only copies, because
 * opening a database recovers it, and that is the restart's work.
 */
export async function readEach<Found>(
  state: string,
  read: (tables: Tables) => Found,
): Promise<{ readonly found: readonly Found[]; readonly unreadable: readonly string[] }> {
  const { folder, files } = await stateFolder(state);
  const copy = join(state, "copy.sqlite");
  const found: Found[] = [];
  const unreadable: string[] = [];
  for (const file of files) {
    await copyWhole(join(folder, file), copy);
    const database = new DatabaseSync(copy, { readOnly: true });
    try {
      found.push(read(tablesOf(database)));
    } catch (cause) {
      if (!(cause instanceof Unreadable)) throw cause;
      unreadable.push(`${file} can't be read: ${cause.message}`);
    } finally {
      database.close();
      await removeCopy(copy);
    }
  }
  return { found, unreadable };
}
