// What must hold of every coupon after anything: checked over the API and in the object's own tables.

import { expect } from "vitest";

import { look, type Answer } from "./api.ts";
import { stored } from "./storage.ts";

/**
 * Expects that coupon `name` is conserved: units given and left add up, nobody has two, positions and ledger have no gap,
 * the tables say what the API says, and every 201 in `answers` is on record.
 */
export async function expectConserved(name: string, answers: readonly Answer[] = []): Promise<void> {
  const { body } = await look(name);
  const { coupon, claims, ledger } = await stored(name);
  const claimants = claims.map(({ user_id }) => user_id);

  expect(coupon.claimed + coupon.held).toBeLessThanOrEqual(coupon.amount);
  expect(claims).toHaveLength(coupon.claimed);
  expect(new Set(claimants).size).toBe(claimants.length);
  expect(body).toMatchObject({
    name,
    amount: coupon.amount,
    remaining_amount: coupon.amount - coupon.claimed - coupon.held,
    claimed_by: claimants,
  });

  expect(ledger.map(({ seq }) => seq)).toEqual(ledger.map((_, index) => index + 1));
  expect(coupon.seq).toBe(ledger.length);
  const granted = ledger.filter(({ kind }) => kind === "claimed");
  expect(granted.map(({ position }) => position)).toEqual(granted.map((_, index) => index + 1));
  expect(granted.map(({ user_id }) => user_id)).toEqual(claimants);

  const told = answers.filter(({ status, body: receipt }) => status === 201 && receipt["coupon_name"] === name);
  for (const { body: receipt } of told) expect(claimants[Number(receipt["position"]) - 1]).toBe(receipt["user_id"]);
}
