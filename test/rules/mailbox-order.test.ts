// The mailbox over a real coupon: messages are judged in the order and at the instant of their arrival.

import { expect, test, vi } from "vitest";

import { asks, expectConserved, holdOf, manyClaims, outcomes, storedClaims, T0 } from "./coupon.ts";
import { mailboxCoupon } from "./mailbox-coupon.ts";
import { pass, useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

/** Two units, a hold that ends at T0 + 1000, and a flush that lasts until T0 + 1200. It is T0 + 990. */
async function duringSlowFlush() {
  const coupon = mailboxCoupon(2);
  coupon.disk.flushMs = 1_200;
  void coupon.mailbox.submit({ kind: "hold", request: holdOf("holder", 1_000) });
  await pass(990);
  return coupon;
}

test("a holder's claim that arrives within the hold is granted after a slow flush", async () => {
  const { claim, batches, sql } = await duringSlowFlush();
  const answers = [claim(asks("rival")), claim(asks("holder")), claim(asks("rival-2"))];
  await pass(210);
  expect(batches.at(-1)).toEqual({ afterMs: 1_200, of: ["rival", "holder", "rival-2"] });
  expect(outcomes(await Promise.all(answers))).toEqual(["granted", "granted", "out_of_stock"]);
  expect(storedClaims(sql).map(({ user_id, claimed_at }) => [user_id, claimed_at - T0])).toEqual([
    ["rival", 990],
    ["holder", 990],
  ]);
});

test.for([
  [999, "out_of_stock"],
  [1_000, "granted"],
] as const)("a claim that arrives at %i ms, where a hold ends at 1000 ms, gets %s", async ([arrivesAfterMs, outcome]) => {
  const { claim } = await duringSlowFlush();
  void claim(asks("first"));
  await pass(arrivesAfterMs - 990);
  const answer = claim(asks("rival"));
  await pass(300);
  expect(outcomes([await answer])).toEqual([outcome]);
});

test.for([
  ["an end", { startsAt: null, endsAt: T0 + 1_000 }, 999, "granted"],
  ["an end", { startsAt: null, endsAt: T0 + 1_000 }, 1_000, "sale_ended"],
  ["a start", { startsAt: T0 + 1_000, endsAt: null }, 999, "sale_not_started"],
  ["a start", { startsAt: T0 + 1_000, endsAt: null }, 1_000, "granted"],
] as const)("with %s at 1000 ms (%o) a claim that arrives at %i ms gets %s", async ([, window, afterMs, outcome]) => {
  const { mailbox, claim, disk, batches } = mailboxCoupon(5);
  disk.flushMs = 1_200;
  void mailbox.submit({ kind: "change", change: window, precondition: null });
  await pass(afterMs);
  const answer = claim(asks("ann"));
  await pass(300);
  expect(outcomes([await answer])).toEqual([outcome]);
  expect(batches.at(-1)).toEqual({ afterMs: 1_200, of: ["ann"] });
});

test("a message that arrives after the clock was set back gets the last stamp", async () => {
  const { claim, sql, stamps } = mailboxCoupon(5);
  vi.setSystemTime(T0 + 500);
  await claim(asks("ann"));
  vi.setSystemTime(T0 + 100);
  void claim(asks("bob"));
  await pass(40);
  expect(stamps).toEqual([500, 500]);
  expect(storedClaims(sql).map(({ claimed_at }) => claimed_at - T0)).toEqual([500, 500]);
});

test("a claim that arrives after the holds of the last units gets out_of_stock", async () => {
  const { mailbox, claim, batches } = mailboxCoupon(3);
  await claim(asks("opener"));
  const answers = [
    mailbox.submit({ kind: "hold", request: holdOf("h1", 60_000) }),
    mailbox.submit({ kind: "hold", request: holdOf("h2", 60_000) }),
    claim(asks("c1")),
    claim(asks("h1")),
  ];
  await pass(10);
  expect(await Promise.all(answers)).toMatchObject([
    { ok: true, isNew: true, remaining: 1 },
    { ok: true, isNew: true, remaining: 0 },
    { ok: false, code: "out_of_stock" },
    { ok: true, claim: { position: 2, remainingAfter: 0 } },
  ]);
  expect(batches.map(({ of }) => of)).toEqual([["opener"], ["h1", "h2", "c1", "h1"]]);
});

test.for([
  [1, [1, 1, 1, 1, 1, 1, 1, 1, 1]],
  [4, [4, 4, 1]],
  [1000, [9]],
] as const)("nine claims in batches of at most %i get six units in arrival order", async ([batchSizeMax, sizes]) => {
  const { claim, sql, batches } = mailboxCoupon(6, { batchSizeMax });
  const answers = manyClaims(9).map((request) => claim(request));
  await pass(100);
  expect(batches.map(({ of }) => of.length)).toEqual(sizes);
  expect(batches.flatMap(({ of }) => of)).toEqual(manyClaims(9).map(({ userId }) => userId));
  const positions = (await Promise.all(answers)).map((result) => (result.ok ? result.claim.position : result.code));
  expect(positions).toEqual([1, 2, 3, 4, 5, 6, "out_of_stock", "out_of_stock", "out_of_stock"]);
  expectConserved(sql, 6);
});
