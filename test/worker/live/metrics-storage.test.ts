// What counting costs and survives: no row for a refusal, one write every five seconds, and nothing that was returned is lost.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { COUNTS_FLUSH_MS } from "../../../src/domain/limits.ts";
import { claim, created, read, send, users } from "../../support/api.ts";
import { stubOf, tablesOf } from "../../support/storage.ts";
import { metricsText, valuesOf } from "./metrics.ts";

/** Every row of every table of a coupon. */
async function rowsOf(name: string): Promise<Record<string, unknown[]>> {
  const tables = await tablesOf(env.COUPONS.idFromName(name));
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

function alarmOf(name: string): Promise<number | null> {
  return runInDurableObject(stubOf(name), (_object, { storage }) => storage.getAlarm());
}

/** Holds the timers of all objects; answers how to let time pass in the object of one coupon. */
function heldTimers(): { readonly pass: (name: string, ms: number) => Promise<void> } {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return {
    // In the object: what a timer starts may only there reach its storage.
    pass: (name, ms) => runInDurableObject(stubOf(name), async () => void (await vi.advanceTimersByTimeAsync(ms))),
  };
}

/** A coupon that ada has, sold out: its counts were stored with her claim. */
async function soldOut(): Promise<string> {
  const name = await created(1);
  await claim(name, "ada");
  return name;
}

/** Refused claims that the object judges itself. */
async function refusedByObject(name: string, userIds: readonly string[]): Promise<string[]> {
  const results = await Promise.all(userIds.map((userId) => stubOf(name).claim({ userId, key: null, attemptId: `attempt-${userId}` })));
  return results.map((result) => (result.ok ? "granted" : result.code));
}

describe("refusals alone", () => {
  test("write no row, set no alarm, and are in the next metrics", async () => {
    heldTimers();
    const name = await soldOut();
    const before = await rowsOf(name);
    const codes = await refusedByObject(name, [...users(200), "ada", "ada"]);
    expect(codes.toSorted()).toEqual([...users(2).map(() => "already_claimed"), ...users(200).map(() => "out_of_stock")]);

    expect(await rowsOf(name)).toEqual(before);
    expect(await storedClaims(name)).toEqual({ granted: 1 });
    expect(await alarmOf(name)).toBeNull();
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({
      "outcome=granted": 1,
      "outcome=out_of_stock": 200,
      "outcome=already_claimed": 2,
    });
  });

  test("are stored after COUNTS_FLUSH_MS in the coupon's row; the ledger does not grow", async () => {
    const timers = heldTimers();
    const name = await soldOut();
    const { coupon: _before, ...others } = await rowsOf(name);
    await refusedByObject(name, users(20));
    await timers.pass(name, COUNTS_FLUSH_MS - 1);
    expect(await storedClaims(name)).toEqual({ granted: 1 });
    await timers.pass(name, 1);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });

    const { coupon: _after, ...othersAfter } = await rowsOf(name);
    expect(othersAfter).toEqual(others);
    expect((await read(name)).headers.get("Coupon-Seq")).toBe("2");
    expect(await alarmOf(name)).toBeNull();
  });

  test("are stored once in COUNTS_FLUSH_MS, however many batches counted", async () => {
    const timers = heldTimers();
    const name = await soldOut();
    await refusedByObject(name, users(5));
    await timers.pass(name, COUNTS_FLUSH_MS - 1);
    await refusedByObject(name, users(5, "late"));
    await timers.pass(name, 1);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 10 });
    await refusedByObject(name, users(5, "later"));
    await timers.pass(name, COUNTS_FLUSH_MS - 1);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 10 });
    await timers.pass(name, 1);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 15 });
  });

  test("survive an eviction once they are stored", async () => {
    const timers = heldTimers();
    const name = await soldOut();
    await refusedByObject(name, users(20));
    await timers.pass(name, COUNTS_FLUSH_MS);
    await evictDurableObject(stubOf(name));
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 20 });
    await refusedByObject(name, ["late"]);
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 21 });
  });

  test("are stored before the metrics return them, and once", async () => {
    heldTimers();
    const name = await soldOut();
    await refusedByObject(name, users(20));
    const shown = await metricsText(name);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });
    await evictDurableObject(stubOf(name));
    expect(await metricsText(name)).toBe(shown);
    const before = await rowsOf(name);
    await metricsText(name);
    expect(await rowsOf(name)).toEqual(before);
  });

  test("that isolates counted are stored after COUNTS_FLUSH_MS as well", async () => {
    const timers = heldTimers();
    const name = await soldOut();
    expect(await stubOf(name).certify({ known: null, refused: { out_of_stock: 7 } })).toMatchObject({ ok: true });
    expect(await storedClaims(name)).toEqual({ granted: 1 });
    await timers.pass(name, COUNTS_FLUSH_MS);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 7 });
    expect(await alarmOf(name)).toBeNull();
  });

  test("that were not stored are lost with the object, and nothing else is", async () => {
    const timers = heldTimers();
    const name = await soldOut();
    await refusedByObject(name, ["early"]);
    await timers.pass(name, COUNTS_FLUSH_MS);
    await refusedByObject(name, ["late"]);
    await evictDurableObject(stubOf(name));
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 1 });
    expect((await read(name)).body["claimed_by"]).toEqual(["ada"]);
  });

  test("are stored with the next change", async () => {
    heldTimers();
    const name = await soldOut();
    await refusedByObject(name, users(20));
    await send("PATCH", `/api/coupons/${name}`, { body: { amount: 2 } });
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });
  });

  test("that were not stored leave nothing of a deleted coupon", async () => {
    const timers = heldTimers();
    const name = await soldOut();
    await refusedByObject(name, ["bob"]);
    await send("DELETE", `/api/coupons/${name}`);
    await timers.pass(name, COUNTS_FLUSH_MS);
    expect(await tablesOf(env.COUPONS.idFromName(name))).toEqual([]);
    expect(await alarmOf(name)).toBeNull();
  });
});

test("a grant is counted with the rows that it writes: it survives the loss of the object", async () => {
  const name = await created(5);
  await claim(name, "ada");
  await claim(name, "bob");
  await evictDurableObject(stubOf(name));
  expect(await valuesOf(name, "doorbuster_coupon_units")).toMatchObject({ "state=claimed": 2 });
  expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({ "outcome=granted": 2 });
});
