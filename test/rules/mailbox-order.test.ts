// The mailbox over a real coupon: messages are judged as of their arrival, first come, first served.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { asks, crowd, expectConserved, holdOf, outcomes, storedClaims, T0 } from "./coupon.ts";
import { mailboxCoupon, pass } from "./mailbox-coupon.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A hold that ends at T0 + 1000, and a flush of 1.2 s in flight. */
async function slow() {
  const coupon = mailboxCoupon(2);
  coupon.disk.flushMs = 1_200;
  void coupon.mailbox.submit({ kind: "hold", request: holdOf("holder", 1_000) });
  await pass(990);
  return coupon;
}

describe("a message is judged as of its arrival", () => {
  test("a holder's claim that arrived within the hold is granted, however long it waited", async () => {
    const { claim, batches, sql } = await slow();
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
    [9, "out_of_stock"],
    [10, "granted"],
  ] as const)("a rival who arrives %i ms later gets %s", async ([laterMs, outcome]) => {
    const { claim } = await slow();
    void claim(asks("first"));
    await pass(laterMs);
    const answer = claim(asks("rival"));
    await pass(300);
    expect(outcomes([await answer])).toEqual([outcome]);
  });

  test.for([
    [{ startsAt: null, endsAt: T0 + 1_000 }, 999, "granted"],
    [{ startsAt: null, endsAt: T0 + 1_000 }, 1_000, "sale_ended"],
    [{ startsAt: T0 + 1_000, endsAt: null }, 999, "sale_not_started"],
    [{ startsAt: T0 + 1_000, endsAt: null }, 1_000, "granted"],
  ] as const)("in the window %o a claim that arrives after %i ms gets %s", async ([window, afterMs, outcome]) => {
    const { mailbox, claim, disk, batches } = mailboxCoupon(5);
    disk.flushMs = 1_200;
    void mailbox.submit({ kind: "change", change: window, precondition: null });
    await pass(afterMs);
    const answer = claim(asks("ann"));
    await pass(300);
    expect(outcomes([await answer])).toEqual([outcome]);
    expect(batches.at(-1)).toEqual({ afterMs: 1_200, of: ["ann"] });
  });

  test("stamps never go back, though the clock does", async () => {
    const { claim, sql, stamps } = mailboxCoupon(5);
    vi.setSystemTime(T0 + 500);
    void claim(asks("ann"));
    vi.setSystemTime(T0 + 100);
    void claim(asks("bob"));
    await pass(40);
    expect(stamps).toEqual([500, 500]);
    expect(storedClaims(sql).map(({ claimed_at }) => claimed_at - T0)).toEqual([500, 500]);
  });
});

describe("first come, first served", () => {
  test("over claims and holds: a hold behind two claims finds nothing left", async () => {
    const { mailbox, claim } = mailboxCoupon(3);
    void claim(asks("opener"));
    const answers = [
      claim(asks("c1")),
      claim(asks("c2")),
      claim(asks("c3")),
      mailbox.submit({ kind: "hold", request: holdOf("h", 60_000) }),
    ];
    await pass(10);
    expect(await Promise.all(answers)).toMatchObject([
      { ok: true, claim: { position: 2 } },
      { ok: true, claim: { position: 3 } },
      { ok: false, code: "out_of_stock" },
      { ok: false, code: "out_of_stock" },
    ]);
  });

  test("over holds and claims: a claim behind two holds finds nothing left", async () => {
    const { mailbox, claim, batches } = mailboxCoupon(3);
    void claim(asks("opener"));
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

  test("over as many batches as it takes", async () => {
    const { claim, sql, batches } = mailboxCoupon(100, { batchSizeMax: 3 });
    const answers = crowd(9).map((request) => claim(request));
    await pass(10);
    expect(batches.map(({ of }) => of)).toEqual([
      ["user-1"],
      ["user-2", "user-3", "user-4"],
      ["user-5", "user-6", "user-7"],
      ["user-8", "user-9"],
    ]);
    expect((await Promise.all(answers)).map((result) => result.ok && result.claim.position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expectConserved(sql, 9);
  });

  test("gives exactly the stock, whatever the size of a batch", async () => {
    for (const batchSizeMax of [1, 2, 7, 1000]) {
      const { claim, sql } = mailboxCoupon(20, { batchSizeMax });
      const answers = crowd(60).map((request) => claim(request));
      await pass(100);
      expect(outcomes(await Promise.all(answers))).toEqual([
        ...Array<string>(20).fill("granted"),
        ...Array<string>(40).fill("out_of_stock"),
      ]);
      expectConserved(sql, 20);
    }
  });
});
