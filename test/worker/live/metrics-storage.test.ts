// What counting costs: no row for a refusal, and one write every five seconds. No returned count is lost.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, onTestFinished, test, vi } from "vitest";

import { COUNTS_FLUSH_MS } from "../../../src/domain/limits.ts";
import { claim, created, read, remove, users } from "../../support/api.ts";
import { alarmOf, NOTHING, storedBy, stubOf, tablesOf } from "../../support/storage.ts";
import { claimCounts, metricsText, valuesOf } from "./metrics.ts";

/** Every row of every table of a coupon. */
async function rowsOf(name: string): Promise<Record<string, unknown[]>> {
  const tables = await tablesOf(stubOf(name).id);
  return runInDurableObject(stubOf(name), (_object, { storage }) =>
    Object.fromEntries(tables.map((table) => [table, storage.sql.exec(`SELECT * FROM ${table}`).toArray()])),
  );
}

/** The counts as they are stored. */
async function storedClaims(name: string): Promise<unknown> {
  const rows = await rowsOf(name);
  const [coupon] = rows["coupon"] as { outcomes: string }[];
  return (JSON.parse(coupon?.outcomes ?? "null") as { claims: unknown }).claims;
}

/** Stops the timers of all objects. Returns how to pass time in the object of one coupon. */
function stopTimers(): (name: string, ms: number) => Promise<void> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  // It runs in the object, where alone a timer may reach the object's storage.
  return (name, ms) => runInDurableObject(stubOf(name), async () => void (await vi.advanceTimersByTimeAsync(ms)));
}

/** A coupon sold out to ada, whose claim stored the counts. */
async function soldOut(): Promise<string> {
  const name = await created(1);
  await claim(name, "ada");
  return name;
}

/** Claims that the object itself refuses. */
async function refusedByObject(name: string, userIds: readonly string[]): Promise<string[]> {
  const results = await Promise.all(userIds.map((userId) => stubOf(name).claim({ userId, key: null, attemptId: `attempt-${userId}` })));
  return results.map((result) => (result.ok ? "granted" : result.code));
}

test("refusals write no row, set no alarm, and are in the next metrics", async () => {
  stopTimers();
  const name = await soldOut();
  const [before, alarmAt] = [await rowsOf(name), await alarmOf(name)];
  const codes = await refusedByObject(name, [...users(200), "ada", "ada"]);
  expect(codes.toSorted()).toEqual([...users(2).map(() => "already_claimed"), ...users(200).map(() => "out_of_stock")]);
  expect([await rowsOf(name), await alarmOf(name)]).toEqual([before, alarmAt]);
  expect(await claimCounts(name)).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 200, "outcome=already_claimed": 2 });
});

test("refusal counts are stored once in COUNTS_FLUSH_MS, in the coupon's row alone", async () => {
  const pass = stopTimers();
  const name = await soldOut();
  const { coupon: _before, ...others } = await rowsOf(name);
  const alarmAt = await alarmOf(name);
  await refusedByObject(name, users(5));
  await pass(name, COUNTS_FLUSH_MS - 1);
  expect(await storedClaims(name)).toEqual({ granted: 1 });
  await refusedByObject(name, users(5, "late"));
  await pass(name, 1);
  expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 10 });
  await refusedByObject(name, users(5, "later"));
  await pass(name, COUNTS_FLUSH_MS - 1);
  expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 10 });
  await pass(name, 1);
  expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 15 });

  const { coupon: _after, ...othersAfter } = await rowsOf(name);
  expect(othersAfter).toEqual(others);
  expect((await read(name)).headers.get("Coupon-Seq")).toBe("2");
  expect(await alarmOf(name)).toBe(alarmAt);
});

test("refusal counts are stored before the metrics return them, and survive an eviction", async () => {
  stopTimers();
  const name = await soldOut();
  await refusedByObject(name, users(20));
  const shown = await metricsText(name);
  expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });
  await evictDurableObject(stubOf(name));
  expect(await metricsText(name)).toBe(shown);
  const before = await rowsOf(name);
  await metricsText(name);
  expect(await rowsOf(name)).toEqual(before);
  await refusedByObject(name, ["late"]);
  expect(await claimCounts(name)).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 21 });
});

test("an eviction loses only the refusal counts that were not stored", async () => {
  const pass = stopTimers();
  const name = await soldOut();
  await refusedByObject(name, ["early"]);
  await pass(name, COUNTS_FLUSH_MS);
  await refusedByObject(name, ["late"]);
  await evictDurableObject(stubOf(name));
  expect(await claimCounts(name)).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 1 });
  expect((await read(name)).body["claimed_by"]).toEqual(["ada"]);
});

test("refusal counts that were not stored leave nothing of a deleted coupon", async () => {
  const pass = stopTimers();
  const name = await soldOut();
  await refusedByObject(name, ["bob"]);
  await remove(name);
  await pass(name, COUNTS_FLUSH_MS);
  expect(await storedBy(name)).toEqual(NOTHING);
});

test("granted claims are counted with their rows, so that an eviction loses none", async () => {
  const name = await created(5);
  await claim(name, "ada");
  await claim(name, "bob");
  await evictDurableObject(stubOf(name));
  expect(await valuesOf(name, "doorbuster_coupon_units")).toMatchObject({ "state=claimed": 2 });
  expect(await claimCounts(name)).toEqual({ "outcome=granted": 2 });
});
