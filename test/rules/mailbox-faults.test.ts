// The mailbox when something breaks: one message, one batch, the disk, or a fact that had to hold.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import { asks, contents, crowd, expectConserved, outcomes, readCold, storedClaims, T0, tally } from "./coupon.ts";
import { INJECTED } from "./faulty-sql.ts";
import { mailboxCoupon, pass, type MailboxCoupon } from "./mailbox-coupon.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

// What no statement can bind: it makes the whole transaction throw.
const POISONS: readonly [name: string, request: ClaimRequest][] = [
  ["a user id that is an object", { ...asks("x"), userId: {} as unknown as string }],
  ["a user id that is a symbol", { ...asks("x"), userId: Symbol("evil") as unknown as string }],
  ["a user id that is missing", { ...asks("x"), userId: undefined as unknown as string }],
  ["a user id that is null", { ...asks("x"), userId: null as unknown as string }],
  ["a key that is a function", { ...asks("x"), key: (() => "k") as unknown as string }],
  ["an attempt id that is missing", { ...asks("poisoner"), attemptId: null as unknown as string }],
];

/** Sends `requests` behind one claim that keeps the disk busy, so that they share one batch. */
async function inOneBatch({ claim }: MailboxCoupon, requests: readonly ClaimRequest[]) {
  void claim(asks("opener", { attemptId: "opener" }));
  const answers = requests.map((request) => claim(request));
  await pass(1_000);
  return Promise.all(answers);
}

describe.for(POISONS)("%s", ([, poison]) => {
  test("fails alone: its neighbours are answered as if it was not there", async () => {
    const [poisoned, clean] = [mailboxCoupon(6), mailboxCoupon(6)];
    const [before, after] = [crowd(3, "before"), [asks("before-2"), ...crowd(4, "after")]];
    const results = await inOneBatch(poisoned, [...before, poison, ...after]);
    vi.setSystemTime(T0);
    const expected = await inOneBatch(clean, [...before, ...after]);

    expect(results[3]).toMatchObject({ ok: false, code: "unavailable" });
    expect(results.toSpliced(3, 1)).toEqual(expected);
    expect(contents(poisoned.sql)).toEqual(contents(clean.sql));
    expect(poisoned.refused).toHaveLength(1);
    expect(poisoned.aborts).toEqual([]);
    expectConserved(poisoned.sql, 6);
  });

  test("that comes alone is refused, and the mailbox goes on", async () => {
    const { claim, sql, refused } = mailboxCoupon(6);
    expect(await claim(poison)).toMatchObject({ ok: false, code: "unavailable" });
    await pass(40);
    expect(await claim(asks("ann"))).toMatchObject({ ok: true, claim: { position: 1 } });
    expect(refused).toHaveLength(1);
    expectConserved(sql, 1);
  });
});

test("many poisoned claims in one batch each fail alone", async () => {
  const coupon = mailboxCoupon(100);
  const mixed = crowd(6).flatMap((honest, index) => [POISONS[index]?.[1] ?? honest, honest]);
  const results = await inOneBatch(coupon, mixed);
  expect(tally(results)).toEqual({ unavailable: 6, granted: 6 });
  expect(storedClaims(coupon.sql).map(({ user_id }) => user_id)).toEqual(["opener", ...crowd(6).map(({ userId }) => userId)]);
  expectConserved(coupon.sql, 7);
});

test("messages that are tried again alone keep the stamps of their arrival", async () => {
  const { claim, sql, disk, batches } = mailboxCoupon(10);
  disk.flushMs = 1_200;
  void claim(asks("opener"));
  await pass(1_000);
  void claim(asks("ann"));
  await pass(1);
  void claim(POISONS[0]?.[1] ?? asks("x"));
  await pass(1);
  void claim(asks("bob"));
  await pass(198);
  expect(batches.map(({ afterMs, of }) => [afterMs, of.length])).toEqual([
    [0, 1],
    [1_200, 3],
    [1_200, 1],
    [1_200, 1],
    [1_200, 1],
  ]);
  expect(storedClaims(sql).map(({ user_id, claimed_at }) => [user_id, claimed_at - T0])).toEqual([
    ["opener", 0],
    ["ann", 1_000],
    ["bob", 1_002],
  ]);
});

describe("a flush that fails", () => {
  test.for([
    ["rejects", 40, "the disk is full"],
    ["throws", 0, "no disk"],
  ] as const)("because the disk %s ends the object, and leaves the mailbox idle", async ([failure, afterMs, cause]) => {
    const { claim, disk, aborts, batches } = mailboxCoupon(10);
    disk.failure = failure;
    void claim(asks("ann"));
    await pass(afterMs);
    expect(aborts).toEqual([cause]);
    disk.failure = "none";
    const answer = claim(asks("bob"));
    expect(batches.at(-1)).toEqual({ afterMs, of: ["bob"] });
    expect(await answer).toMatchObject({ ok: true, claim: { position: 2 } });
  });

  test.for(["rejects", "throws"] as const)("because the disk %s judges the messages that waited", async (failure) => {
    const { claim, disk, batches } = mailboxCoupon(10);
    disk.flushMs = 5;
    disk.failure = failure;
    void claim(asks("ann"));
    disk.failure = "none";
    const waiting = [claim(asks("bob")), claim(asks("cid"))];
    await pass(5);
    expect(batches.flatMap(({ of }) => of)).toEqual(["ann", "bob", "cid"]);
    expect(tally(await Promise.all(waiting))).toEqual({ granted: 2 });
  });

  test("while another is in flight leaves that one to be waited for", async () => {
    const { claim, disk, aborts, batches } = mailboxCoupon(10);
    disk.flushMs = 1_000;
    void claim(asks("ann"));
    disk.flushMs = 20;
    disk.failure = "rejects";
    void claim(asks("bob"));
    await pass(30);
    expect(aborts).toEqual(["the disk is full"]);
    disk.failure = "none";
    void claim(asks("cid"));
    expect(batches).toHaveLength(2);
    await pass(10);
    expect(batches[2]).toEqual({ afterMs: 40, of: ["cid"] });
  });
});

describe("an end of the object that throws", () => {
  test.for(["rejects", "throws"] as const)("after a flush that %s leaves the mailbox idle", async (failure) => {
    const { claim, disk, aborts, batches } = mailboxCoupon(10, { doesAbortThrow: true });
    disk.failure = failure;
    void claim(asks("ann"));
    disk.failure = "none";
    const waiting = claim(asks("bob"));
    await pass(40);
    expect(batches.flatMap(({ of }) => of)).toEqual(["ann", "bob"]);
    expect(await waiting).toMatchObject({ ok: true, claim: { position: 2 } });
    expect(aborts).toHaveLength(1);
  });

  test("after a broken fact answers every message all the same", async () => {
    const { claim, sql, aborts } = mailboxCoupon(10, { doesAbortThrow: true });
    void claim(asks("opener"));
    const waiting = crowd(3).map((request) => claim(request));
    sql.all("UPDATE coupon SET seq = seq + 7");
    await pass(40);
    expect(tally(await Promise.all([...waiting, claim(asks("late"))]))).toEqual({ unavailable: 4 });
    expect(new Set(aborts)).toEqual(new Set(["stored and remembered ledger heads are equal"]));
  });
});

describe("storage that fails a whole batch", () => {
  test("once is repaired: each claim is tried again alone, in its order", async () => {
    const coupon = mailboxCoupon(4);
    void coupon.claim(asks("opener"));
    const answers = crowd(5).map((request) => coupon.claim(request));
    coupon.sql.breakAt(0);
    await pass(40);
    expect(coupon.batches.map(({ of }) => of)).toEqual([
      ["opener"],
      ["user-1", "user-2", "user-3", "user-4", "user-5"],
      ["user-1"],
      ["user-2"],
      ["user-3"],
      ["user-4"],
      ["user-5"],
    ]);
    expect(outcomes(await Promise.all(answers))).toEqual(["granted", "granted", "granted", "out_of_stock", "out_of_stock"]);
    expectConserved(coupon.sql, 4);
  });

  test("at any point, also after the commit, loses and repeats no unit", async () => {
    const rehearsal = mailboxCoupon(4);
    rehearsal.sql.breakAt(null);
    await inOneBatch(rehearsal, crowd(5));
    const pointCount = rehearsal.sql.passed.length;
    expect(pointCount).toBeGreaterThan(20);

    for (let point = 0; point < pointCount; point += 1) {
      const coupon = mailboxCoupon(4);
      coupon.sql.breakAt(point);
      const results = await inOneBatch(coupon, crowd(5));
      const granted = results.filter(({ ok }) => ok).map((result) => result.ok && result.claim.userId);
      const stored = storedClaims(coupon.sql).map(({ user_id }) => user_id);
      expect(stored.filter((user) => user !== "opener")).toEqual(granted);
      expectConserved(coupon.sql, 4);
    }
  });

  test("for good refuses every claim and stores nothing, until it works again", async () => {
    const coupon = mailboxCoupon(4);
    await coupon.claim(asks("early"));
    await pass(40);
    const before = contents(coupon.sql);
    coupon.sql.all("CREATE TEMP TRIGGER broken BEFORE UPDATE ON coupon BEGIN SELECT RAISE(ABORT, 'injected'); END");
    const failed = await inOneBatch(coupon, crowd(5));
    expect(tally(failed)).toEqual({ unavailable: 5 });
    expect(coupon.refused).toHaveLength(6);
    expect(coupon.aborts).toEqual([]);
    expect(contents(coupon.sql)).toEqual(before);
    expect(coupon.engine.read({ claimedBy: true }, T0)).toEqual(readCold(coupon.sql));

    coupon.sql.all("DROP TRIGGER broken");
    expect(tally(await inOneBatch(coupon, crowd(5)))).toEqual({ granted: 2, out_of_stock: 3 });
    expectConserved(coupon.sql, 4);
  });
});

describe("a broken fact", () => {
  test("ends the object, and answers every message that waits", async () => {
    const coupon = mailboxCoupon(10);
    void coupon.claim(asks("opener"));
    const answers = crowd(5).map((request) => coupon.claim(request));
    coupon.sql.all("UPDATE coupon SET seq = seq + 7");
    const before = contents(coupon.sql);
    await pass(40);
    expect(tally(await Promise.all(answers))).toEqual({ unavailable: 5 });
    expect(coupon.aborts).toEqual(["stored and remembered ledger heads are equal"]);
    expect(contents(coupon.sql)).toEqual(before);
  });

  test("is not tried one by one: the batch is refused as a whole", async () => {
    const coupon = mailboxCoupon(10);
    void coupon.claim(asks("opener"));
    const answers = crowd(3).map((request) => coupon.claim(request));
    coupon.sql.all("UPDATE coupon SET held = 1");
    await pass(40);
    expect(coupon.batches.map(({ of }) => of)).toEqual([["opener"], ["user-1", "user-2", "user-3"]]);
    expect(tally(await Promise.all(answers))).toEqual({ unavailable: 3 });
    expect(coupon.aborts).toEqual(["stored and remembered units held are equal"]);
  });

  test("refuses later batches as well", async () => {
    const coupon = mailboxCoupon(10, { batchSizeMax: 1 });
    void coupon.claim(asks("opener"));
    const waiting = [asks("ann"), asks("bob")].map((request) => coupon.claim(request));
    coupon.sql.all("UPDATE coupon SET schema_version = 99, seq = seq + 7");
    await pass(40);
    const late = coupon.claim(asks("late"));
    for (let commits = 0; commits < 3; commits += 1) await pass(40);
    expect(tally(await Promise.all([...waiting, late]))).toEqual({ unavailable: 3 });
    expect(storedClaims(coupon.sql).map(({ user_id }) => user_id)).toEqual(["opener"]);
  });
});

test("a claim is either stored or refused, however storage breaks", async () => {
  const coupon = mailboxCoupon(500, { lengthMax: 20, batchSizeMax: 6 });
  const answers: Promise<unknown>[] = [];
  for (let wave = 0; wave < 30; wave += 1) {
    coupon.sql.breakAt(wave % 11);
    answers.push(...crowd(8, `wave-${wave}`).map((request) => coupon.claim(request)));
    if (wave % 3 === 0) await pass(40);
  }
  coupon.sql.breakAt(null);
  for (let commits = 0; commits < 100; commits += 1) await pass(40);
  await Promise.all(answers);

  const onRecord = storedClaims(coupon.sql).map(({ user_id }) => user_id);
  const refused = coupon.refused.map(([user]) => user);
  expect(new Set([...onRecord, ...refused]).size).toBe(240);
  expect(onRecord.length + refused.length).toBe(240);
  expect(coupon.refused.filter(([, cause]) => cause === INJECTED.message)).not.toEqual([]);
  expectConserved(coupon.sql, onRecord.length);
});
