// What must be true of every coupon at any time.

import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";

import { remaining } from "../../verification/verify/replay.ts";
import { read, type Answer } from "./api.ts";
import { expectReplayed } from "./ledger.ts";
import { stored, stubOf, type Stored } from "./storage.ts";

/**
 * Expects that coupon `name` is conserved. Its ledger has no gap and gives no unit twice. It replays to the
 * object's tables and to the coupon that the API shows. Each granted claim in `answers` is in the ledger.
 * Returns the tables.
 */
export async function expectConserved(name: string, answers: readonly Answer[] = []): Promise<Stored> {
  // Holds that are over end with this read.
  const { body } = await read(name);
  const coupon = await runInDurableObject(stubOf(name), (_object, { storage }) =>
    expectReplayed((statement) => storage.sql.exec<Record<string, string | number | null>>(statement).toArray()),
  );
  expect(body).toMatchObject({
    name,
    amount: coupon.amount,
    remaining_amount: remaining(coupon),
    held_amount: coupon.holds.size,
    claimed_by: Array.from(coupon.claims.values(), ({ userId }) => userId),
  });
  const ofLedger = new Set([...coupon.claims.values(), ...coupon.releases.values()].map(({ userId, position }) => `${position} ${userId}`));
  const acknowledged = answers.flatMap(({ status, body: { coupon_name, position, user_id } }) =>
    status === 201 && coupon_name === name && position !== undefined ? [`${Number(position)} ${String(user_id)}`] : [],
  );
  expect(acknowledged.filter((receipt) => !ofLedger.has(receipt))).toEqual([]);
  return stored(name);
}
