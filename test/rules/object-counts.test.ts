// What the deployed object does by itself, in virtual time: it writes the counts of refused claims, and sets alarms for holds alone.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { asks, holdOf, newCoupon, T0 } from "./coupon.ts";
import { pass } from "./mailbox-coupon.ts";
import { objectInNode, type ObjectInNode } from "./object-in-node.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A new coupon of `amount` units, whose creation is on disk. */
async function created(amount: number): Promise<ObjectInNode> {
  const coupon = await objectInNode();
  await coupon.object.create(newCoupon(amount));
  return coupon;
}

/** The counts as they are stored. */
function stored({ sql }: ObjectInNode): unknown {
  return JSON.parse(sql.all<{ outcomes: string }>("SELECT outcomes FROM coupon")[0]?.outcomes ?? "null");
}

describe("counts of refused claims", () => {
  test("are written once, 5 s after the first of them", async () => {
    const coupon = await created(1);
    await coupon.object.claim(asks("ann"));
    for (const user of ["bob", "cid"]) await coupon.object.claim(asks(user));
    await pass(1_000);
    await coupon.object.claim(asks("dan"));
    expect(coupon.transactionCount()).toBe(2);
    await pass(3_999);
    expect(coupon.transactionCount()).toBe(2);
    await pass(1);
    expect(coupon.transactionCount()).toBe(3);
    expect(stored(coupon)).toMatchObject({ claims: { granted: 1, out_of_stock: 3 }, batched: 4 });
    await pass(60_000);
    expect(coupon.transactionCount()).toBe(3);
  });

  test("are written before metrics are returned", async () => {
    const coupon = await created(1);
    await coupon.object.claim(asks("ann"));
    await coupon.object.claim(asks("bob"));
    expect(await coupon.object.metrics()).toMatchObject({ ok: true, outcomes: { claims: { granted: 1, out_of_stock: 1 } } });
    expect(stored(coupon)).toMatchObject({ claims: { out_of_stock: 1 } });
    await coupon.object.metrics();
    expect(coupon.transactionCount()).toBe(3);
  });

  test("that isolates report with a certificate request are written too", async () => {
    const coupon = await created(1);
    await coupon.object.claim(asks("ann"));
    await coupon.object.certify({ known: null, refused: { out_of_stock: 40 } });
    await pass(5_000);
    expect(stored(coupon)).toMatchObject({ claims: { granted: 1, out_of_stock: 40 }, batched: 1 });
  });

  test("go with the next granted claim, and then need no write of their own", async () => {
    const coupon = await created(2);
    await coupon.object.claim(asks("ann"));
    await coupon.object.claim(asks("ann"));
    await coupon.object.claim(asks("bob"));
    expect(stored(coupon)).toMatchObject({ claims: { granted: 2, already_claimed: 1 } });
    await pass(60_000);
    expect(coupon.transactionCount()).toBe(3);
  });
});

describe("an alarm", () => {
  test("is set by no claim, read, refusal or change", async () => {
    const { object, alarms } = await created(2);
    await object.claim(asks("ann"));
    await object.claim(asks("ann"));
    await object.read({ claimedBy: true });
    await object.change({ amount: 9 }, null);
    await pass(60_000);
    expect(alarms).toEqual([]);
  });

  test("is set for the hold that expires first, and again for the next", async () => {
    const { object, alarms, sql } = await created(5);
    await object.hold(holdOf("ann", 5_000));
    await object.hold(holdOf("bob", 9_000));
    await object.hold(holdOf("cid", 2_000));
    expect(alarms).toEqual([T0 + 5_000, T0 + 2_000]);
    await pass(2_000);
    await object.alarm();
    expect(alarms).toEqual([T0 + 5_000, T0 + 2_000, T0 + 5_000]);
    expect(sql.all("SELECT user_id FROM holds ORDER BY 1")).toEqual([{ user_id: "ann" }, { user_id: "bob" }]);
  });

  test("of a running hold is set by a restarted instance's read, not its claim", async () => {
    const { sql, object: first } = await created(5);
    await first.hold(holdOf("ann", 5_000));
    const { object, alarms } = await objectInNode(sql);
    await object.claim(asks("bob"));
    expect(alarms).toEqual([]);
    await object.read({ claimedBy: false });
    expect(alarms).toEqual([T0 + 5_000]);
  });

  test("that fails is set again after 1, 2 and 4 s", async () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    const { object, alarms, sql } = await created(5);
    await object.hold(holdOf("ann", 1_000));
    sql.database.exec("CREATE TEMP TRIGGER broken BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'injected'); END");
    await pass(1_000);
    for (let tries = 0; tries < 3; tries += 1) await object.alarm();
    expect(alarms).toEqual([T0 + 1_000, T0 + 2_000, T0 + 3_000, T0 + 5_000]);
    vi.restoreAllMocks();
  });
});
