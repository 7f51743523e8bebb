// Group commit over a real coupon: what shares a transaction, in which order, and how much may wait.

import { describe, expect, test } from "vitest";

import { asks, crowd, expectConserved, outcomes, readCold, storedClaims, tally } from "./coupon.ts";
import { queued } from "./queued-coupon.ts";

/** The user ids of a batch, to compare with what was committed together. */
function ids(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${prefix}-${from + index}`);
}

describe("a claim that finds nobody waiting", () => {
  test("is stored before its caller even has a promise", async () => {
    const { queue, sql } = queued(5);
    const answer = queue.submit(asks("ann"));
    expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(["ann"]);
    expect(await answer).toMatchObject({ ok: true, claim: { userId: "ann", position: 1 } });
  });

  test("is committed at once again after an idle moment", async () => {
    const { queue, sql, disk } = queued(5);
    await queue.submit(asks("ann"));
    await disk.settle();
    void queue.submit(asks("bob"));
    expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(["ann", "bob"]);
  });
});

describe("claims that arrive while a commit is on its way to disk", () => {
  test("wait for it, then share one transaction", async () => {
    const { queue, sql, disk, batches } = queued(10);
    const first = queue.submit(asks("first"));
    const waiting = crowd(4).map((request) => queue.submit(request));
    expect(batches).toEqual([["first"]]);
    expect(storedClaims(sql)).toHaveLength(1);

    await disk.settle();
    expect(batches).toEqual([["first"], ids("user", 1, 4)]);
    expect(tally(await Promise.all([first, ...waiting]))).toEqual({ granted: 5 });
    expectConserved(sql, 5);
  });

  test("do not slip in before the disk is done, however many turns pass", async () => {
    const { queue, batches, disk } = queued(10);
    void queue.submit(asks("first"));
    void queue.submit(asks("second"));
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(batches).toEqual([["first"]]);
    await disk.settle();
    expect(batches).toEqual([["first"], ["second"]]);
  });

  test("are served first come, first served, over as many batches as it takes", async () => {
    const { queue, sql, disk, batches } = queued(100, { batchSizeMax: 3 });
    const answers = crowd(9).map((request) => queue.submit(request));
    for (let commits = 0; commits < 4; commits += 1) await disk.settle();
    expect(batches.map((batch) => batch.length)).toEqual([1, 3, 3, 2]);
    expect(batches.flat()).toEqual(ids("user", 1, 9));
    expect((await Promise.all(answers)).map((result) => result.ok && result.claim.position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expectConserved(sql, 9);
  });

  test("and in the middle of a drain are put behind those who wait already", async () => {
    const { queue, disk, batches } = queued(100, { batchSizeMax: 2 });
    const early = crowd(4).map((request) => queue.submit(request));
    await disk.settle();
    const late = crowd(2, "late").map((request) => queue.submit(request));
    for (let commits = 0; commits < 3; commits += 1) await disk.settle();
    expect(batches).toEqual([["user-1"], ["user-2", "user-3"], ["user-4", "late-1"], ["late-2"]]);
    expect(tally(await Promise.all([...early, ...late]))).toEqual({ granted: 6 });
  });

  test("get exactly the stock, whatever the size of a batch", async () => {
    for (const batchSizeMax of [1, 2, 7, 1000]) {
      const { queue, sql, disk } = queued(20, { batchSizeMax });
      const answers = crowd(60).map((request) => queue.submit(request));
      for (let commits = 0; commits < 60; commits += 1) await disk.settle();
      const results = await Promise.all(answers);
      expect(outcomes(results)).toEqual([...Array<string>(20).fill("granted"), ...Array<string>(40).fill("out_of_stock")]);
      expectConserved(sql, 20);
    }
  });
});

describe("a full queue", () => {
  test("refuses at once, stores nothing of the refused, and takes claims again when it has room", async () => {
    const { queue, sql, disk, refused } = queued(100, { queueLengthMax: 4 });
    const inFlight = queue.submit(asks("in-flight"));
    const waiting = crowd(4).map((request) => queue.submit(request));
    expect(await Promise.all(crowd(3, "beyond").map((request) => queue.submit(request)))).toMatchObject([
      { ok: false, code: "unavailable" },
      { ok: false, code: "unavailable" },
      { ok: false, code: "unavailable" },
    ]);
    expect(refused).toEqual([
      ["beyond-1", "the queue of claims is full"],
      ["beyond-2", "the queue of claims is full"],
      ["beyond-3", "the queue of claims is full"],
    ]);

    await disk.settle();
    const again = crowd(3, "beyond").map((request) => queue.submit(request));
    await disk.settle();
    expect(tally(await Promise.all([inFlight, ...waiting, ...again]))).toEqual({ granted: 8 });
    expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(["in-flight", ...ids("user", 1, 4), ...ids("beyond", 1, 3)]);
    expectConserved(sql, 8);
  });

  test("has room again for as many as were taken out, not more", async () => {
    const { queue, disk, refused } = queued(100, { queueLengthMax: 4, batchSizeMax: 2 });
    void queue.submit(asks("in-flight"));
    for (const request of crowd(4)) void queue.submit(request);
    await disk.settle();
    for (const request of crowd(3, "second-wave")) void queue.submit(request);
    expect(refused.map(([user]) => user)).toEqual(["second-wave-3"]);
  });
});

test("a coupon that does not exist is told so through the queue, and stores nothing", async () => {
  const { queue, sql, disk } = queued(null);
  const answers = crowd(3).map((request) => queue.submit(request));
  await disk.settle();
  expect(tally(await Promise.all(answers))).toEqual({ coupon_not_found: 3 });
  expect(readCold(sql)).toMatchObject({ code: "coupon_not_found" });
});
