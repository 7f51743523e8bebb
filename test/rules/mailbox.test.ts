// The mailbox over a real coupon: which messages share a transaction, when a batch starts, and how many messages may wait.

import { expect, test, vi } from "vitest";

import type { Message } from "../../src/engine/message.ts";
import { asks, countOutcomes, expectConserved, manyClaims, storedClaims, T0 } from "./coupon.ts";
import { mailboxCoupon } from "./mailbox-coupon.ts";
import { pass, useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

test("claims that arrive at an idle mailbox in one turn share a batch", async () => {
  const { claim, batches } = mailboxCoupon(5);
  const answers = ["ann", "bob", "cid"].map((user) => claim(asks(user)));
  expect(batches).toEqual([]);
  expect(countOutcomes(await Promise.all(answers))).toEqual({ granted: 3 });
  expect(batches).toEqual([{ afterMs: 0, of: ["ann", "bob", "cid"] }]);
});

test("a full batch at an idle mailbox is stored before submit returns", async () => {
  const { claim, sql } = mailboxCoupon(5, { batchSizeMax: 2 });
  const answers = ["ann", "bob", "cid"].map((user) => claim(asks(user)));
  expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(["ann", "bob"]);
  await pass(10);
  expect(countOutcomes(await Promise.all(answers))).toEqual({ granted: 3 });
});

test("a turn that hangs delays each claim by a quarter of a flush", async () => {
  const { claim, batches } = mailboxCoupon(5, { nextTurn: () => new Promise(() => undefined) });
  for (const user of ["ann", "bob"]) {
    void claim(asks(user));
    await pass(10);
  }
  expect(batches).toEqual([
    { afterMs: 10, of: ["ann"] },
    { afterMs: 20, of: ["bob"] },
  ]);
});

test("10,000 claims that arrive in one turn are judged, and none is refused", async () => {
  const { claim, batches, refused } = mailboxCoupon(10_000);
  const answers = manyClaims(10_000).map((request) => claim(request));
  expect(countOutcomes(await Promise.all(answers))).toEqual({ granted: 10_000 });
  expect([batches.length, refused.length]).toEqual([10, 0]);
});

test("a claim after the end of the flush is judged in the next turn", async () => {
  const { claim, batches } = mailboxCoupon(5);
  await claim(asks("ann"));
  await pass(40);
  await claim(asks("bob"));
  expect(batches).toEqual([
    { afterMs: 0, of: ["ann"] },
    { afterMs: 40, of: ["bob"] },
  ]);
});

test("a batch that writes nothing starts no flush, and the next claim is judged in the next turn", async () => {
  const { claim, batches, disk } = mailboxCoupon(null);
  for (const user of ["ann", "bob", "cid"]) await claim(asks(user));
  expect(batches.map(({ of }) => of)).toEqual([["ann"], ["bob"], ["cid"]]);
  expect(disk.begun).toBe(0);
});

test.for([
  ["a quarter of the expected 40 ms after its first message", 40, 5, 15],
  ["when a flush of 4 ms ends", 4, 0, 4],
  // 400 + 534 / 4 = 533.5.
  ["a quarter of a slow flush's time after its first message", 1_200, 400, 534],
  ["at most 250 ms after its first message", 3_000, 2_000, 2_250],
] as const)("the next batch starts %s", async ([, flushMs, arrivesAfterMs, startsAfterMs]) => {
  const { claim, batches, disk } = mailboxCoupon(10);
  disk.flushMs = flushMs;
  await claim(asks("first"));
  await pass(arrivesAfterMs);
  void claim(asks("second"));
  await pass(startsAfterMs - arrivesAfterMs - 1);
  void claim(asks("third"));
  expect(batches).toHaveLength(1);
  await pass(1);
  expect(batches[1]).toEqual({ afterMs: startsAfterMs, of: ["second", "third"] });
});

test("the next batch waits a quarter of the average of measured flushes", async () => {
  const { claim, batches, disk } = mailboxCoupon(10);
  disk.flushMs = 200;
  await claim(asks("first"));
  await pass(200);
  // 40 + (200 - 40) / 4 = 80 ms are expected now.
  await claim(asks("second"));
  void claim(asks("third"));
  await pass(19);
  expect(batches).toHaveLength(2);
  await pass(1);
  expect(batches[2]).toEqual({ afterMs: 220, of: ["third"] });
});

test("the next batch waits at least a millisecond after flushes of 1 ms", async () => {
  const { claim, batches, disk } = mailboxCoupon(100);
  disk.flushMs = 1;
  for (const request of manyClaims(60)) {
    await claim(request);
    await pass(1);
  }
  disk.flushMs = 1_000;
  await claim(asks("first"));
  void claim(asks("second"));
  await pass(1);
  expect(batches.slice(-2)).toEqual([
    { afterMs: 60, of: ["first"] },
    { afterMs: 61, of: ["second"] },
  ]);
});

test("a batch starts while two flushes are in flight, and after both the mailbox is idle", async () => {
  const { claim, batches, disk } = mailboxCoupon(10);
  disk.flushMs = 100;
  await claim(asks("first"));
  void claim(asks("second"));
  await pass(10);
  void claim(asks("third"));
  await pass(10);
  expect([disk.begun, disk.ended]).toEqual([3, 0]);
  await pass(100);
  expect([disk.begun, disk.ended, vi.getTimerCount()]).toEqual([3, 3, 0]);
  await claim(asks("idle"));
  expect(batches.map(({ afterMs }) => afterMs)).toEqual([0, 10, 20, 120]);
});

test("a clock set back by an hour delays no batch beyond the end of the flush", async () => {
  const { claim, batches, disk } = mailboxCoupon(10);
  disk.flushMs = 60;
  await claim(asks("first"));
  vi.setSystemTime(T0 - 3_600_000);
  void claim(asks("second"));
  await pass(60);
  expect(batches.map(({ of }) => of)).toEqual([["first"], ["second"]]);
});

test("a burst longer than the mailbox loses no message: full batches start at once", async () => {
  const { claim, batches, refused } = mailboxCoupon(10, { batchSizeMax: 3, lengthMax: 4 });
  await claim(asks("opener"));
  for (const request of manyClaims(9)) void claim(request);
  expect(batches.map(({ afterMs, of }) => [afterMs, of.length])).toEqual([
    [0, 1],
    [0, 3],
    [0, 3],
    [0, 3],
  ]);
  expect(refused).toEqual([]);
});

test("a list, a read with claimants and a bulk claim are batches of their own, in arrival order", async () => {
  const { mailbox, claim, batches } = mailboxCoupon(10);
  await claim(asks("opener"));
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

test.for([{ kind: "claim", request: asks("late") }, { kind: "remove" }] as const satisfies Message[])(
  "a full mailbox refuses $kind with unavailable and stores nothing of it",
  async (message) => {
    const { mailbox, claim, sql, refused } = mailboxCoupon(5, { lengthMax: 2 });
    await claim(asks("first"));
    const accepted = ["second", "third"].map((user) => claim(asks(user)));
    expect(await mailbox.submit(message)).toEqual({ ok: false, code: "unavailable", seq: 2 });
    expect(refused.map(([, cause]) => cause)).toEqual(["the mailbox is full"]);
    await pass(10);
    expect(countOutcomes(await Promise.all(accepted))).toEqual({ granted: 2 });
    expectConserved(sql, 3);
  },
);

test("a full mailbox accepts as many messages as its next batch takes out", async () => {
  const { claim, refused } = mailboxCoupon(100, { lengthMax: 4 });
  await claim(asks("opener"));
  for (const request of manyClaims(5)) void claim(request);
  expect(refused.map(([user]) => user)).toEqual(["user-5"]);
  await pass(10);
  for (const request of manyClaims(5, "again")) void claim(request);
  expect(refused.map(([user]) => user)).toEqual(["user-5", "again-5"]);
});
