// What must be true of every coupon at any time. The ledger is replayed by the file verifier.

import { runInDurableObject } from "cloudflare:test";
import type { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";

import { ledgerFindings } from "../../verification/verify/ledger-check.ts";
import { remaining, replay } from "../../verification/verify/replay.ts";
import { tablesOf, type Tables } from "../../verification/verify/tables.ts";
import { read, type Answer } from "./api.ts";
import { stored, stubOf, type Stored } from "./storage.ts";

/**
 * Expects that coupon `name` is conserved. Its ledger has no gap and gives no unit twice. It replays to the
 * object's tables and to the coupon that the API shows. Each granted claim in `answers` is in the ledger.
 * Returns the tables.
 */
export async function expectConserved(name: string, answers: readonly Answer[] = []): Promise<Stored> {
  // Holds that are over end with this read.
  const { body } = await read(name);
  const tables = await tablesAsInFile(name);
  const coupon = replay(tables.ledger);
  expect(ledgerFindings(tables, coupon)).toMatchObject({ faults: [] });
  expect(body).toMatchObject({
    name,
    amount: coupon.amount,
    remaining_amount: remaining(coupon),
    held_amount: coupon.holds.size,
    claimed_by: [...coupon.claims.keys()],
  });
  const ofLedger = new Set([...coupon.claims.values(), ...coupon.releases.values()].map(({ userId, position }) => `${position} ${userId}`));
  const acknowledged = answers.flatMap(({ status, body: { coupon_name, position, user_id } }) =>
    status === 201 && coupon_name === name && position !== undefined ? [`${Number(position)} ${String(user_id)}`] : [],
  );
  expect(acknowledged.filter((receipt) => !ofLedger.has(receipt))).toEqual([]);
  return stored(name);
}

/** The object's tables as the file verifier reads them from the object's file. */
function tablesAsInFile(name: string): Promise<Tables> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => {
    const all = (statement: string) => storage.sql.exec(statement).toArray();
    const prepare = (statement: string) => ({ all: () => all(statement), iterate: () => all(statement).values() });
    // The verifier calls nothing else of a database.
    const { coupon, claims, holds, releases, holdAttempts, releasedHolds, ledger } = tablesOf({ prepare } as unknown as DatabaseSync);
    return { coupon, claims, holds, releases, holdAttempts, releasedHolds, ledger: [...ledger], integrityFaults: [] };
  });
}
