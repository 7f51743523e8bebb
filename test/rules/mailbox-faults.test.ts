// The mailbox when something fails: one message, one batch, the disk, or an assertion.

import { expect, test, vi } from "vitest";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import { asks, contents, countOutcomes, expectConserved, manyClaims, readCold, storedClaims, T0 } from "./coupon.ts";
import { INJECTED } from "./faulty-sql.ts";
import { mailboxCoupon, type MailboxCoupon } from "./mailbox-coupon.ts";
import { pass, useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

// No statement can bind or store them, so the whole transaction throws.
const POISONS: readonly [name: string, request: ClaimRequest][] = [
  ["a user id that is an object", { ...asks("x"), userId: {} as unknown as string }],
  ["a user id that is null", { ...asks("x"), userId: null as unknown as string }],
  ["a key that is a function", { ...asks("x"), key: (() => "k") as unknown as string }],
  ["an attempt id that is null", { ...asks("poisoner"), attemptId: null as unknown as string }],
];

/** Sends `requests` behind one claim that keeps the disk busy, so that they share one batch. */
async function inOneBatch({ claim }: MailboxCoupon, requests: readonly ClaimRequest[]) {
  await claim(asks("opener", { attemptId: "opener" }));
  const answers = requests.map((request) => claim(request));
  await pass(1_000);
  return Promise.all(answers);
}

test.for(POISONS)("claims with %s fail alone, and the rest of their batch succeeds", async ([, poison]) => {
  const [poisoned, clean] = [mailboxCoupon(6), mailboxCoupon(6)];
  const [before, after] = [manyClaims(3, "before"), [asks("before-2"), ...manyClaims(4, "after")]];
  const results = await inOneBatch(poisoned, [...before, poison, poison, ...after]);
  vi.setSystemTime(T0);
  const expected = await inOneBatch(clean, [...before, ...after]);

  expect(countOutcomes(results.slice(3, 5))).toEqual({ unavailable: 2 });
  expect(results.toSpliced(3, 2)).toEqual(expected);
  expect(contents(poisoned.sql)).toEqual(contents(clean.sql));
  expect([poisoned.refused.length, poisoned.aborts]).toEqual([2, []]);
  expectConserved(poisoned.sql, 6);
});

test.for(POISONS)("a claim with %s that is alone is unavailable, and the next is granted", async ([, poison]) => {
  const { claim, refused } = mailboxCoupon(6);
  expect(await claim(poison)).toMatchObject({ ok: false, code: "unavailable" });
  expect(await claim(asks("ann"))).toMatchObject({ ok: true, claim: { position: 1 } });
  expect(refused).toHaveLength(1);
});

test("messages of a failed batch are tried alone, in order, with the stamps of their arrival", async () => {
  const { claim, sql, disk, batches } = mailboxCoupon(10);
  disk.flushMs = 1_200;
  await claim(asks("opener"));
  await pass(1_000);
  for (const request of [asks("ann"), POISONS[0]?.[1] ?? asks("x"), asks("bob")]) {
    void claim(request);
    await pass(1);
  }
  await pass(197);
  const poison = "[object Object]";
  expect(batches.slice(1).map(({ of }) => of)).toEqual([["ann", poison, "bob"], ["ann"], [poison], ["bob"]]);
  expect(storedClaims(sql).map(({ user_id, claimed_at }) => [user_id, claimed_at - T0])).toEqual([
    ["opener", 0],
    ["ann", 1_000],
    ["bob", 1_002],
  ]);
});

test.for([
  ["rejects", "returns"],
  ["rejects", "throws"],
  ["throws", "returns"],
  ["throws", "throws"],
] as const)("claims are judged after a flush that %s and an abort that %s", async ([failure, abort]) => {
  const { claim, disk, aborts, batches } = mailboxCoupon(10, { doesAbortThrow: abort === "throws" });
  Object.assign(disk, { flushMs: 5, failure });
  await claim(asks("ann"));
  disk.failure = "none";
  const waiting = claim(asks("bob"));
  await pass(10);
  expect(aborts).toEqual([failure === "rejects" ? "the disk is full" : "no disk"]);
  const later = claim(asks("cid"));
  await pass(0);
  expect(batches.flatMap(({ of }) => of)).toEqual(["ann", "bob", "cid"]);
  expect(await Promise.all([waiting, later])).toMatchObject([{ claim: { position: 2 } }, { claim: { position: 3 } }]);
});

test("after a flush that fails, the next batch still waits for the other flush in flight", async () => {
  const { claim, disk, aborts, batches } = mailboxCoupon(10);
  disk.flushMs = 1_000;
  await claim(asks("ann"));
  Object.assign(disk, { flushMs: 20, failure: "rejects" });
  void claim(asks("bob"));
  await pass(30);
  expect(aborts).toEqual(["the disk is full"]);
  disk.failure = "none";
  void claim(asks("cid"));
  expect(batches).toHaveLength(2);
  await pass(10);
  expect(batches[2]).toEqual({ afterMs: 40, of: ["cid"] });
});

test.for(["returns", "throws"] as const)("after a turn that fails and an abort that %s, all messages are judged", async (abort) => {
  const { mailbox, claim, aborts, batches } = mailboxCoupon(10, {
    doesAbortThrow: abort === "throws",
    nextTurn: () => Promise.reject(new Error("the disk is full")),
  });
  const answers = [mailbox.submit({ kind: "read", claimedBy: true }), claim(asks("ann"))];
  await pass(40);
  expect(aborts).toEqual(["the disk is full"]);
  expect(await Promise.all([...answers, claim(asks("bob"))])).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
  expect(batches.map(({ of }) => of)).toEqual([["read"], ["ann"], ["bob"]]);
});

test("storage that fails once at any point of a batch loses and repeats no unit", async () => {
  const rehearsal = mailboxCoupon(4);
  rehearsal.sql.breakAt(null);
  await inOneBatch(rehearsal, manyClaims(5));
  const pointCount = rehearsal.sql.passed.length;
  expect(pointCount).toBeGreaterThan(20);

  for (let point = 0; point < pointCount; point += 1) {
    const coupon = mailboxCoupon(4);
    coupon.sql.breakAt(point);
    const results = await inOneBatch(coupon, manyClaims(5));
    const granted = results.filter(({ ok }) => ok).map((result) => result.ok && result.claim.userId);
    const stored = storedClaims(coupon.sql).map(({ user_id }) => user_id);
    expect(stored.filter((user) => user !== "opener")).toEqual(granted);
    expectConserved(coupon.sql, 4);
  }
});

test("storage that keeps failing refuses every claim, stores nothing, and sells again once repaired", async () => {
  const coupon = mailboxCoupon(4);
  await coupon.claim(asks("early"));
  await pass(40);
  const before = contents(coupon.sql);
  coupon.sql.all("CREATE TEMP TRIGGER broken BEFORE UPDATE ON coupon BEGIN SELECT RAISE(ABORT, 'injected'); END");
  expect(countOutcomes(await inOneBatch(coupon, manyClaims(5)))).toEqual({ unavailable: 5 });
  expect([coupon.refused.length, coupon.aborts]).toEqual([6, []]);
  expect(contents(coupon.sql)).toEqual(before);
  expect(coupon.engine.read({ claimedBy: true }, T0)).toEqual(readCold(coupon.sql));

  coupon.sql.all("DROP TRIGGER broken");
  expect(countOutcomes(await inOneBatch(coupon, manyClaims(5)))).toEqual({ granted: 2, out_of_stock: 3 });
  expectConserved(coupon.sql, 4);
});

test.for([
  ["ledger heads", "returns", "seq = seq + 7", "seq = seq - 7"],
  ["units held", "returns", "held = 1", "held = 0"],
  ["units held", "throws", "held = 1", "held = 0"],
] as const)("after other %s in storage and an abort that %s, no claim is judged", async ([fact, abort, fault, repair]) => {
  const coupon = mailboxCoupon(10, { doesAbortThrow: abort === "throws" });
  await coupon.claim(asks("opener"));
  const answers = manyClaims(5).map((request) => coupon.claim(request));
  const before = contents(coupon.sql);
  coupon.sql.all(`UPDATE coupon SET ${fault}`);
  await pass(40);
  coupon.sql.all(`UPDATE coupon SET ${repair}`);
  expect(countOutcomes(await Promise.all([...answers, coupon.claim(asks("late"))]))).toEqual({ unavailable: 6 });
  expect(coupon.batches.map(({ of }) => of.length)).toEqual([1, 5]);
  expect(new Set(coupon.aborts)).toEqual(new Set([`stored and remembered ${fact} are equal`]));
  expect(contents(coupon.sql)).toEqual(before);
});

test("a claim is either stored or refused while storage fails again and again", async () => {
  const coupon = mailboxCoupon(500, { lengthMax: 20, batchSizeMax: 6 });
  const answers: Promise<unknown>[] = [];
  for (let wave = 0; wave < 30; wave += 1) {
    coupon.sql.breakAt(wave % 11);
    answers.push(coupon.claim(asks(`first-${wave}`)));
    await pass(0);
    answers.push(...manyClaims(7, `wave-${wave}`).map((request) => coupon.claim(request)));
    if (wave % 3 === 0) await pass(40);
  }
  coupon.sql.breakAt(null);
  for (let commits = 0; commits < 100; commits += 1) await pass(40);
  await Promise.all(answers);

  const stored = storedClaims(coupon.sql).map(({ user_id }) => user_id);
  const refused = coupon.refused.map(([user]) => user);
  expect(new Set([...stored, ...refused]).size).toBe(240);
  expect(stored.length + refused.length).toBe(240);
  expect(coupon.refused.filter(([, cause]) => cause === INJECTED.message)).not.toEqual([]);
  expectConserved(coupon.sql, stored.length);
});
