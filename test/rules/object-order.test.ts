// The deployed object judges all of its messages in the order of their arrival.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { asks, holdOf, newCoupon, T0 } from "./coupon.ts";
import { pass } from "./mailbox-coupon.ts";
import { objectInNode } from "./object-in-node.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a hold called behind three claims of two units is refused", async () => {
  const { object, sql } = await objectInNode();
  await object.create(newCoupon(2));
  const calls = [object.claim(asks("c1")), object.claim(asks("c2")), object.claim(asks("c3")), object.hold(holdOf("h", 60_000))];
  await pass(1_000);
  expect(await Promise.all(calls)).toMatchObject([
    { ok: true, claim: { userId: "c1", position: 1 } },
    { ok: true, claim: { userId: "c2", position: 2 } },
    { ok: false, code: "out_of_stock" },
    { ok: false, code: "out_of_stock" },
  ]);
  expect(sql.all("SELECT kind, user_id FROM ledger ORDER BY seq")).toEqual([
    { kind: "created", user_id: null },
    { kind: "claimed", user_id: "c1" },
    { kind: "claimed", user_id: "c2" },
  ]);
});
