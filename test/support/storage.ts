// The object's own storage, read past the code under test.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";

export type StoredClaim = {
  readonly user_id: string;
  readonly position: number;
  readonly claimed_at: number;
  readonly idempotency_key: string | null;
};
export type StoredHold = { readonly user_id: string; readonly held_at: number; readonly expires_at: number };
export type StoredRelease = { readonly user_id: string; readonly position: number; readonly released_at: number };
export type StoredEvent = {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly user_id: string | null;
  readonly position: number | null;
  /** JSON. */
  readonly data: string | null;
};
export type Stored = {
  readonly coupon: {
    readonly amount: number;
    readonly claimed: number;
    readonly held: number;
    readonly last_position: number;
    readonly seq: number;
    readonly clock_at: number;
    readonly epoch: string;
  };
  readonly claims: readonly StoredClaim[];
  readonly holds: readonly StoredHold[];
  readonly releases: readonly StoredRelease[];
  readonly ledger: readonly StoredEvent[];
};

export function stubOf(name: string) {
  return env.COUPONS.get(env.COUPONS.idFromName(name));
}

/** Every row of a coupon, claims in position order. */
export function stored(name: string): Promise<Stored> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => ({
    coupon: storage.sql.exec<Stored["coupon"]>("SELECT * FROM coupon").one(),
    claims: storage.sql.exec<StoredClaim>("SELECT * FROM claims ORDER BY position").toArray(),
    holds: storage.sql.exec<StoredHold>("SELECT * FROM holds ORDER BY expires_at, user_id").toArray(),
    releases: storage.sql.exec<StoredRelease>("SELECT * FROM releases ORDER BY position").toArray(),
    ledger: storage.sql.exec<StoredEvent>("SELECT * FROM ledger ORDER BY seq").toArray(),
  }));
}

/** Runs one statement in the object's own database. */
export function runSql(name: string, statement: string): Promise<void> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => {
    storage.sql.exec(statement);
  });
}

/** When the object's alarm is due. Null where none is set. */
export function alarmOf(name: string): Promise<number | null> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => storage.getAlarm());
}

/** All that an object stores, by whatever means. */
export async function storedBy(name: string): Promise<{ tables: readonly string[]; keyCount: number; alarmAt: number | null }> {
  const tables = await tablesOf(stubOf(name).id);
  const rest = await runInDurableObject(stubOf(name), async (_object, { storage }) => ({
    keyCount: (await storage.list()).size,
    alarmAt: await storage.getAlarm(),
  }));
  return { tables, ...rest };
}
export const NOTHING = { tables: [], keyCount: 0, alarmAt: null };

/** Expects that a deleted coupon leaves nothing, once the courier has delivered its ledger. */
export async function expectNothingStored(name: string): Promise<void> {
  await expect.poll(() => storedBy(name), { timeout: 20_000 }).toEqual(NOTHING);
}

/** The tables of a coupon's object, but for the platform's own. */
export function tablesOf(id: DurableObjectId): Promise<string[]> {
  return runInDurableObject(env.COUPONS.get(id), (_object, { storage }) =>
    storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'")
      .toArray()
      .map(({ name }) => name),
  );
}
