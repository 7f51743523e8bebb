// Group commit when something breaks: one item, one batch, or a fact that had to hold.

import { describe, expect, test } from "vitest";

import type { ClaimRequest } from "../../src/domain/claim.ts";
import { asks, contents, crowd, expectConserved, outcomes, readCold, storedClaims, tally } from "./coupon.ts";
import { INJECTED } from "./faulty-sql.ts";
import { queued, type Queued } from "./queued-coupon.ts";

// What no statement can bind: it makes the whole transaction throw.
const POISONS: readonly [name: string, request: ClaimRequest][] = [
  ["a user id that is an object", { ...asks("x"), userId: {} as unknown as string }],
  ["a user id that is a symbol", { ...asks("x"), userId: Symbol("evil") as unknown as string }],
  ["a user id that is missing", { ...asks("x"), userId: undefined as unknown as string }],
  ["a user id that is null", { ...asks("x"), userId: null as unknown as string }],
  ["a key that is a function", { ...asks("x"), key: (() => "k") as unknown as string }],
  ["an attempt id that is missing", { ...asks("poisoner"), attemptId: null as unknown as string }],
];

/** Submits `requests` behind one claim that keeps the disk busy, so that they share one batch, and answers them. */
async function inOneBatch({ queue, disk }: Queued, requests: readonly ClaimRequest[]) {
  void queue.submit(asks("opener", { attemptId: "opener" }));
  const answers = requests.map((request) => queue.submit(request));
  await disk.settle();
  await disk.settle();
  return Promise.all(answers);
}

describe.for(POISONS)("%s", ([, poison]) => {
  test("fails alone: its neighbours are answered as if it had not been there", async () => {
    const [poisoned, clean] = [queued(6), queued(6)];
    const [before, after] = [crowd(3, "before"), [asks("before-2"), ...crowd(4, "after")]];
    const results = await inOneBatch(poisoned, [...before, poison, ...after]);
    const expected = await inOneBatch(clean, [...before, ...after]);

    expect(results[3]).toMatchObject({ ok: false, code: "unavailable" });
    expect(results.toSpliced(3, 1)).toEqual(expected);
    expect(contents(poisoned.sql)).toEqual(contents(clean.sql));
    expect(poisoned.refused).toHaveLength(1);
    expect(poisoned.aborts).toEqual([]);
    expectConserved(poisoned.sql, 6);
  });

  test("that comes alone is refused, and the queue goes on", async () => {
    const { queue, disk, sql, refused } = queued(6);
    expect(await queue.submit(poison)).toMatchObject({ ok: false, code: "unavailable" });
    await disk.settle();
    expect(await queue.submit(asks("ann"))).toMatchObject({ ok: true, claim: { position: 1 } });
    expect(refused).toHaveLength(1);
    expectConserved(sql, 1);
  });
});

test("many poisoned claims in one batch each fail alone", async () => {
  const coupon = queued(100);
  const mixed = crowd(6).flatMap((honest, index) => [POISONS[index]?.[1] ?? honest, honest]);
  const results = await inOneBatch(coupon, mixed);
  expect(tally(results)).toEqual({ unavailable: 6, granted: 6 });
  expect(storedClaims(coupon.sql).map(({ user_id }) => user_id)).toEqual(["opener", ...crowd(6).map(({ userId }) => userId)]);
  expectConserved(coupon.sql, 7);
});

describe("storage that fails a whole batch", () => {
  test("once is not felt: each claim is tried again alone, in its order", async () => {
    const coupon = queued(4);
    void coupon.queue.submit(asks("opener"));
    const answers = crowd(5).map((request) => coupon.queue.submit(request));
    coupon.sql.breakAt(0);
    await coupon.disk.settle();
    expect(coupon.batches).toEqual([
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

  test("at any point, also right after the commit, costs nobody their unit and gives nobody two", async () => {
    const rehearsal = queued(4);
    rehearsal.sql.breakAt(null);
    await inOneBatch(rehearsal, crowd(5));
    const pointCount = rehearsal.sql.passed.length;
    expect(pointCount).toBeGreaterThan(20);

    for (let point = 0; point < pointCount; point += 1) {
      const coupon = queued(4);
      coupon.sql.breakAt(point);
      const results = await inOneBatch(coupon, crowd(5));
      const told = results.filter(({ ok }) => ok).map((result) => result.ok && result.claim.userId);
      const stored = storedClaims(coupon.sql).map(({ user_id }) => user_id);
      expect(stored.filter((user) => user !== "opener")).toEqual(told);
      expectConserved(coupon.sql, 4);
    }
  });

  test("for good refuses everybody and stores nothing; once it works again, everybody is served", async () => {
    const coupon = queued(4);
    await coupon.queue.submit(asks("early"));
    await coupon.disk.settle();
    const before = contents(coupon.sql);
    coupon.sql.all("CREATE TEMP TRIGGER broken BEFORE UPDATE ON coupon BEGIN SELECT RAISE(ABORT, 'injected'); END");
    const failed = await inOneBatch(coupon, crowd(5));
    expect(tally(failed)).toEqual({ unavailable: 5 });
    expect(coupon.refused).toHaveLength(6);
    expect(coupon.aborts).toEqual([]);
    expect(contents(coupon.sql)).toEqual(before);
    expect(coupon.engine.read({ claimedBy: true }, 0)).toEqual(readCold(coupon.sql, 0));

    coupon.sql.all("DROP TRIGGER broken");
    expect(tally(await inOneBatch(coupon, crowd(5)))).toEqual({ granted: 2, out_of_stock: 3 });
    expectConserved(coupon.sql, 4);
  });
});

describe("a broken fact", () => {
  test("ends the object, and everybody who waits is still answered", async () => {
    const coupon = queued(10);
    void coupon.queue.submit(asks("opener"));
    const answers = crowd(5).map((request) => coupon.queue.submit(request));
    coupon.sql.all("UPDATE coupon SET seq = seq + 7");
    const before = contents(coupon.sql);
    await coupon.disk.settle();
    expect(tally(await Promise.all(answers))).toEqual({ unavailable: 5 });
    expect(coupon.aborts).toEqual(["stored and remembered ledger heads are equal"]);
    expect(contents(coupon.sql)).toEqual(before);
  });

  test("is not tried item by item: the batch is refused as a whole", async () => {
    const coupon = queued(10);
    void coupon.queue.submit(asks("opener"));
    const answers = crowd(3).map((request) => coupon.queue.submit(request));
    coupon.sql.all("UPDATE coupon SET held = 1");
    await coupon.disk.settle();
    expect(coupon.batches).toEqual([["opener"], ["user-1", "user-2", "user-3"]]);
    expect(tally(await Promise.all(answers))).toEqual({ unavailable: 3 });
    expect(coupon.aborts).toEqual(["stored and remembered units held are equal"]);
  });

  test("answers those in later batches as well, and grants them nothing", async () => {
    const coupon = queued(10, { batchSizeMax: 1 });
    void coupon.queue.submit(asks("opener"));
    const waiting = [asks("ann"), asks("bob")].map((request) => coupon.queue.submit(request));
    coupon.sql.all("UPDATE coupon SET schema_version = 99, seq = seq + 7");
    await coupon.disk.settle();
    const late = coupon.queue.submit(asks("late"));
    for (let commits = 0; commits < 3; commits += 1) await coupon.disk.settle();
    expect(tally(await Promise.all([...waiting, late]))).toEqual({ unavailable: 3 });
    expect(storedClaims(coupon.sql).map(({ user_id }) => user_id)).toEqual(["opener"]);
  });
});

test("nobody is answered twice: who was refused is not on record, and who is on record was not refused", async () => {
  const coupon = queued(500, { queueLengthMax: 20, batchSizeMax: 6 });
  const answers: Promise<unknown>[] = [];
  for (let wave = 0; wave < 30; wave += 1) {
    coupon.sql.breakAt(wave % 11);
    answers.push(...crowd(8, `wave-${wave}`).map((request) => coupon.queue.submit(request)));
    if (wave % 3 === 0) await coupon.disk.settle();
  }
  coupon.sql.breakAt(null);
  for (let commits = 0; commits < 100; commits += 1) await coupon.disk.settle();
  await Promise.all(answers);

  const onRecord = storedClaims(coupon.sql).map(({ user_id }) => user_id);
  const refused = coupon.refused.map(([user]) => user);
  expect(new Set([...onRecord, ...refused]).size).toBe(240);
  expect(onRecord.length + refused.length).toBe(240);
  expect(coupon.refused.filter(([, cause]) => cause === INJECTED.message)).not.toEqual([]);
  expectConserved(coupon.sql, onRecord.length);
});
