// The mailbox over a real coupon: what shares a transaction, when a batch starts, and how much may wait.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Kind, Message } from "../../src/engine/message.ts";
import { asks, crowd, expectConserved, holdOf, newCoupon, readCold, storedClaims, T0, tally } from "./coupon.ts";
import { mailboxCoupon, pass } from "./mailbox-coupon.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a message that finds the mailbox idle", () => {
  test("is stored before its caller has a promise", async () => {
    const { claim, sql } = mailboxCoupon(5);
    const answer = claim(asks("ann"));
    expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(["ann"]);
    expect(await answer).toMatchObject({ ok: true, claim: { userId: "ann", position: 1 } });
  });

  test("is judged at once again after the flush", async () => {
    const { claim, batches } = mailboxCoupon(5);
    void claim(asks("ann"));
    await pass(40);
    void claim(asks("bob"));
    expect(batches).toEqual([
      { afterMs: 0, of: ["ann"] },
      { afterMs: 40, of: ["bob"] },
    ]);
  });

  test("is judged at once after a batch that wrote nothing", () => {
    const { claim, batches, disk } = mailboxCoupon(1);
    for (const user of ["ann", "bob", "cid"]) void claim(asks(user, { attemptId: "a" }));
    expect(batches).toEqual([{ afterMs: 0, of: ["ann"] }]);
    const soldOut = mailboxCoupon(null);
    for (const user of ["ann", "bob", "cid"]) void soldOut.claim(asks(user));
    expect(soldOut.batches.map(({ of }) => of)).toEqual([["ann"], ["bob"], ["cid"]]);
    expect([disk.begun, soldOut.disk.begun]).toEqual([1, 0]);
  });
});

describe("the next batch", () => {
  test("starts a quarter of the expected 40 ms after its oldest message arrived", async () => {
    const { claim, batches } = mailboxCoupon(10);
    void claim(asks("first"));
    await pass(5);
    for (const request of crowd(3)) void claim(request);
    await pass(9);
    expect(batches).toHaveLength(1);
    void claim(asks("late"));
    await pass(1);
    expect(batches).toEqual([
      { afterMs: 0, of: ["first"] },
      { afterMs: 15, of: ["user-1", "user-2", "user-3", "late"] },
    ]);
  });

  test("starts when the flush ends, if that is earlier", async () => {
    const { claim, batches, disk } = mailboxCoupon(10);
    disk.flushMs = 4;
    void claim(asks("first"));
    void claim(asks("second"));
    await pass(4);
    expect(batches).toEqual([
      { afterMs: 0, of: ["first"] },
      { afterMs: 4, of: ["second"] },
    ]);
  });

  test("follows what flushes were measured to take: a quarter of the way to each", async () => {
    const { claim, batches, disk } = mailboxCoupon(10);
    disk.flushMs = 200;
    void claim(asks("first"));
    await pass(200);
    // 40 + (200 - 40) / 4 = 80 ms are expected now.
    void claim(asks("second"));
    void claim(asks("third"));
    await pass(19);
    expect(batches).toHaveLength(2);
    await pass(1);
    expect(batches[2]).toEqual({ afterMs: 220, of: ["third"] });
  });

  test("waits a quarter of what a slower flush has taken so far", async () => {
    const { claim, batches, disk } = mailboxCoupon(10);
    disk.flushMs = 1_200;
    void claim(asks("first"));
    await pass(400);
    void claim(asks("second"));
    await pass(133);
    expect(batches).toHaveLength(1);
    await pass(1);
    // 400 + 534 / 4 = 533.5.
    expect(batches[1]).toEqual({ afterMs: 534, of: ["second"] });
  });

  test("waits no longer than 250 ms", async () => {
    const { claim, batches, disk } = mailboxCoupon(10);
    disk.flushMs = 3_000;
    void claim(asks("first"));
    await pass(2_000);
    void claim(asks("second"));
    await pass(249);
    expect(batches).toHaveLength(1);
    await pass(1);
    expect(batches[1]).toEqual({ afterMs: 2_250, of: ["second"] });
  });

  test("waits a millisecond at least, where flushes are quicker than that", async () => {
    const { claim, batches, disk } = mailboxCoupon(100);
    disk.flushMs = 1;
    for (const request of crowd(60)) {
      void claim(request);
      await pass(1);
    }
    disk.flushMs = 1_000;
    void claim(asks("first"));
    void claim(asks("second"));
    await pass(1);
    expect(batches.slice(-2)).toEqual([
      { afterMs: 60, of: ["first"] },
      { afterMs: 61, of: ["second"] },
    ]);
  });

  test("starts while two flushes are in flight, and the mailbox is idle after both", async () => {
    const { claim, batches, disk } = mailboxCoupon(10);
    disk.flushMs = 100;
    void claim(asks("first"));
    void claim(asks("second"));
    await pass(10);
    void claim(asks("third"));
    await pass(10);
    expect([disk.begun, disk.ended]).toEqual([3, 0]);
    await pass(100);
    expect([disk.begun, disk.ended]).toEqual([3, 3]);
    void claim(asks("idle"));
    expect(batches.map(({ afterMs }) => afterMs)).toEqual([0, 10, 20, 120]);
  });

  test("starts when the flush ends, though the clock was set back by an hour", async () => {
    const { claim, batches, disk } = mailboxCoupon(10);
    disk.flushMs = 60;
    void claim(asks("first"));
    vi.setSystemTime(T0 - 3_600_000);
    void claim(asks("second"));
    await pass(60);
    expect(batches.map(({ of }) => of)).toEqual([["first"], ["second"]]);
  });
});

test("an exclusive message is a batch of its own, in its place", async () => {
  const { mailbox, claim, batches } = mailboxCoupon(10);
  void claim(asks("opener"));
  const page: Message = { kind: "list_claims", after: { position: 0, seq: 0, epoch: null }, limit: 10 };
  void claim(asks("a"));
  void mailbox.submit({ kind: "read", claimedBy: false });
  const paged = mailbox.submit(page);
  void claim(asks("b"));
  void mailbox.submit({ kind: "read", claimedBy: true });
  void mailbox.submit({ kind: "claim_many", userIds: ["c", "d"], attemptId: "bulk" });
  void claim(asks("e"));
  await pass(10);
  const expected = [["opener"], ["a", "read"], ["list_claims"], ["b"], ["read"], ["claim_many"], ["e"]];
  expect(batches.map(({ of }) => of)).toEqual(expected);
  expect(await paged).toMatchObject({ ok: true, claims: [{ userId: "opener" }, { userId: "a" }] });
});

describe("a full mailbox", () => {
  const EVERY_KIND = {
    create: { kind: "create", coupon: newCoupon(1), epoch: "epoch-2" },
    remove: { kind: "remove" },
    read: { kind: "read", claimedBy: false },
    change: { kind: "change", change: { amount: 9 }, ifMatch: null },
    claim: { kind: "claim", request: asks("late") },
    claim_many: { kind: "claim_many", userIds: ["late"], attemptId: "a" },
    hold: { kind: "hold", request: holdOf("late", 1_000) },
    release_hold: { kind: "release_hold", userId: "late" },
    release_all_holds: { kind: "release_all_holds" },
    list_holds: { kind: "list_holds", after: "", limit: 1 },
    user_claim: { kind: "user_claim", userId: "late" },
    revoke: { kind: "revoke", request: { userId: "first", position: null } },
    list_claims: { kind: "list_claims", after: { position: 0, seq: 0, epoch: null }, limit: 1 },
    metrics: { kind: "metrics" },
    certify: { kind: "certify", request: { known: null, refused: {} } },
    expire: { kind: "expire" },
    write_counts: { kind: "write_counts" },
  } as const satisfies Record<Kind, Message>;

  test.for(Object.values(EVERY_KIND))("refuses $kind with unavailable, and stores nothing of it", async (message) => {
    const { mailbox, claim, sql, refused } = mailboxCoupon(5, { lengthMax: 2 });
    const accepted = ["first", "second", "third"].map((user) => claim(asks(user)));
    expect(await mailbox.submit(message)).toEqual({ ok: false, code: "unavailable", seq: 2 });
    expect(refused.map(([, cause]) => cause)).toEqual(["the mailbox is full"]);
    await pass(10);
    expect(tally(await Promise.all(accepted))).toEqual({ granted: 3 });
    expectConserved(sql, 3);
  });

  test("takes as many again as were taken out", async () => {
    const { claim, refused } = mailboxCoupon(100, { lengthMax: 4 });
    void claim(asks("opener"));
    for (const request of crowd(5)) void claim(request);
    expect(refused.map(([user]) => user)).toEqual(["user-5"]);
    await pass(10);
    for (const request of crowd(5, "again")) void claim(request);
    expect(refused.map(([user]) => user)).toEqual(["user-5", "again-5"]);
  });
});

test("a coupon that does not exist is not found, and nothing is stored", async () => {
  const { claim, sql } = mailboxCoupon(null);
  const answers = crowd(3).map((request) => claim(request));
  await pass(10);
  expect(tally(await Promise.all(answers))).toEqual({ coupon_not_found: 3 });
  expect(readCold(sql)).toMatchObject({ code: "coupon_not_found" });
});
