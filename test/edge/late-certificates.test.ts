// A sold-out certificate that is late, or out of date, keeps nobody from a unit that is there.

import { expect, test } from "vitest";

import { CERTIFICATE_MS_MAX } from "../../src/domain/limits.ts";
import { change, expectSound, outcome, setClock, T0 } from "../sale/sale.ts";
import { claim, created, tally, users } from "../support/api.ts";
import { claimOver, platform, type Fate } from "../support/platform-faults.ts";
import { stubOf } from "../support/storage.ts";

/** A coupon without a unit left, at {@link T0}. This isolate has seen that, and the next claim asks for a certificate. */
async function seenSoldOut(): Promise<string> {
  setClock(T0);
  const name = await created(1);
  await claim(name, "winner");
  expect(outcome(await claim(name, "loser-1"))).toBe("400 out_of_stock");
  return name;
}

/** The object's answer is on its way until `meanwhile` is done. */
function overtakenBy(meanwhile: () => unknown): Fate {
  return async (deliver) => {
    const answer = await deliver();
    await meanwhile();
    return answer;
  };
}

test("a certificate that a restock in this isolate overtook is not believed", async () => {
  const name = await seenSoldOut();
  const restocked = overtakenBy(async () => {
    expect((await change(name, { amount: 2 })).status).toBe(200);
  });
  expect(outcome(await claimOver(platform(restocked), name, "loser-2"))).toBe("400 out_of_stock");
  setClock(T0 + 1);
  expect(outcome(await claim(name, "loser-3"))).toBe("201");
  await expectSound(name);
});

test("a certificate counts from when it was asked for: one that took its whole time to arrive is not believed", async () => {
  const name = await seenSoldOut();
  const slow = overtakenBy(() => setClock(T0 + CERTIFICATE_MS_MAX));
  expect(outcome(await claimOver(platform(slow), name, "loser-2"))).toBe("400 out_of_stock");
  await stubOf(name).change({ amount: 3 }, null);
  // The first of them asks for another one; the second must not be refused by the old one meanwhile.
  const answers = await Promise.all([claim(name, "loser-3"), claim(name, "loser-4")]);
  expect(tally(answers)).toEqual({ 201: 2 });
  await expectSound(name);
});

test("a certificate that is over refuses nobody while one request asks for the next", async () => {
  const name = await seenSoldOut();
  const over = platform();
  for (const user of ["loser-2", "loser-3"]) expect(outcome(await claimOver(over, name, user))).toBe("400 out_of_stock");
  expect(over.calls).toHaveLength(1);
  await stubOf(name).change({ amount: 21 }, null);
  setClock(T0 + CERTIFICATE_MS_MAX);
  expect(tally(await Promise.all(users(20).map((user) => claim(name, user))))).toEqual({ 201: 20 });
  await expectSound(name);
});
