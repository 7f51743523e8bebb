// A coupon of which this isolate has a certificate, and what becomes of it elsewhere meanwhile.

import { expect } from "vitest";

import { outcome, setClock, T0 } from "../sale/sale.ts";
import { claim, created } from "../support/api.ts";
import type { Fate } from "../support/platform-faults.ts";
import { stubOf } from "../support/storage.ts";

/** A coupon without a unit left, at {@link T0}. This isolate has seen that, and the next claim asks for a certificate. */
export async function seenSoldOut(): Promise<string> {
  setClock(T0);
  const name = await created(1);
  await claim(name, "winner");
  expect(outcome(await claim(name, "loser-1"))).toBe("400 out_of_stock");
  return name;
}

/** The object's answer is on its way until `meanwhile` is done. */
export function overtakenBy(meanwhile: () => unknown): Fate {
  return async (deliver) => {
    const answer = await deliver();
    await meanwhile();
    return answer;
  };
}

/** Sold out at {@link T0} with `winner`; this isolate has a certificate of then. */
export async function certified(): Promise<string> {
  const name = await seenSoldOut();
  await claim(name, "loser-2");
  expect((await claim(name, "loser-3")).headers.get("Served-By")).toBe("edge");
  return name;
}

/** The unit was released and went to `second`, all in another isolate: this one's certificate does not know `second`. */
export async function wonElsewhere(name: string, key: string | null = null): Promise<void> {
  await stubOf(name).change({ amount: 2 }, null);
  expect(await stubOf(name).claim({ userId: "second", key, attemptId: "elsewhere" })).toMatchObject({ ok: true });
}

/** The coupon was deleted and created again, and `second` has its one unit, all in another isolate. */
export async function createdAgainElsewhere(name: string): Promise<void> {
  await stubOf(name).remove();
  await stubOf(name).create({ name, amount: 1, startsAt: null, endsAt: null });
  expect(await stubOf(name).claim({ userId: "second", key: null, attemptId: "elsewhere" })).toMatchObject({ ok: true });
}
