// The deployed object after a restart, in virtual time: the alarm of the instance before it stands.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { asks, holdOf, newCoupon, T0 } from "./coupon.ts";
import { objectInNode } from "./object-in-node.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a claim after a restart sets no alarm while units are held", async () => {
  const before = await objectInNode();
  await before.object.create(newCoupon(5));
  await before.object.hold(holdOf("ann", 60_000));
  expect(before.alarms).toEqual([T0 + 60_000]);

  const { object, alarms } = await objectInNode(before.sql);
  expect(await object.claim(asks("bob"))).toMatchObject({ ok: true, replayed: false });
  expect(alarms).toEqual([]);
  await object.hold(holdOf("cid", 90_000));
  expect(alarms).toEqual([T0 + 60_000]);
});
