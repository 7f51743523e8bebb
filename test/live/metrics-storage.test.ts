// What counting costs and survives: no row for a refusal, one flush by the alarm, and nothing lost after it.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { OUTCOMES_FLUSH_MS } from "../../src/domain/limits.ts";
import { claim, created, look, send, tally, users } from "../support/api.ts";
import { stubOf, tablesOf } from "../support/storage.ts";
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

/** A coupon that ada has, sold out, all of whose counts are stored. */
async function soldOut(): Promise<string> {
  const name = await created(1);
  await claim(name, "ada");
  await runDurableObjectAlarm(stubOf(name));
  return name;
}

describe("refusals alone", () => {
  test("write no row and change none, are in the metrics at once, and are due to be stored in ten seconds", async () => {
    const name = await soldOut();
    const before = await rowsOf(name);
    const askedAt = Date.now();
    const answers = await Promise.all([...users(200), "ada", "ada"].map((user) => claim(name, user)));
    expect(tally(answers)).toEqual({ "400 out_of_stock": 200, "409 already_claimed": 2 });

    expect(await rowsOf(name)).toEqual(before);
    expect(await storedClaims(name)).toEqual({ granted: 1 });
    const alarmAt = (await alarmOf(name)) ?? 0;
    expect(alarmAt).toBeGreaterThanOrEqual(askedAt + OUTCOMES_FLUSH_MS);
    expect(alarmAt).toBeLessThanOrEqual(Date.now() + OUTCOMES_FLUSH_MS);
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({
      "outcome=granted": 1,
      "outcome=out_of_stock": 200,
      "outcome=already_claimed": 2,
    });
  });

  test("are stored by the alarm, in the coupon's row alone, and the ledger does not grow", async () => {
    const name = await soldOut();
    const { coupon: _before, ...others } = await rowsOf(name);
    await Promise.all(users(20).map((user) => claim(name, user)));
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);

    const { coupon: _after, ...othersAfter } = await rowsOf(name);
    expect(othersAfter).toEqual(others);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });
    expect((await look(name)).headers.get("Coupon-Seq")).toBe("2");
    // Nothing is due any more, so nothing wakes the object.
    expect(await alarmOf(name)).toBeNull();
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(false);
  });

  test("survive an eviction once they are stored", async () => {
    const name = await soldOut();
    await Promise.all(users(20).map((user) => claim(name, user)));
    await runDurableObjectAlarm(stubOf(name));
    const before = await metricsText(name);
    await evictDurableObject(stubOf(name));
    expect(await metricsText(name)).toBe(before);
    await claim(name, "late");
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 21 });
  });

  test("that the metrics have shown are never taken back, whatever becomes of the object", async () => {
    const name = await soldOut();
    await Promise.all(users(20).map((user) => claim(name, user)));
    const shown = await metricsText(name);
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });
    await evictDurableObject(stubOf(name));
    expect(await metricsText(name)).toBe(shown);
    const before = await rowsOf(name);
    await metricsText(name);
    expect(await rowsOf(name)).toEqual(before);
  });

  test("that an isolate tells of with a hold are due to be stored as well", async () => {
    const name = await soldOut();
    await stubOf(name).hold({ userId: "zoe", ttlMs: 1000, attemptId: "a" }, { known: null, refused: { out_of_stock: 7 } });
    expect(await alarmOf(name)).not.toBeNull();
    await runDurableObjectAlarm(stubOf(name));
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 7 });
  });

  test("of the last ten seconds are lost with the object, and nothing else is", async () => {
    const name = await soldOut();
    await claim(name, "early");
    await runDurableObjectAlarm(stubOf(name));
    await claim(name, "late");
    await evictDurableObject(stubOf(name));
    expect(await valuesOf(name, "doorbuster_claims_total")).toEqual({ "outcome=granted": 1, "outcome=out_of_stock": 1 });
    expect((await look(name)).body["claimed_by"]).toEqual(["ada"]);
  });

  test("are stored along with what is written anyway", async () => {
    const name = await soldOut();
    await Promise.all(users(20).map((user) => claim(name, user)));
    await send("PATCH", `/api/coupons/${name}`, { body: { amount: 2 } });
    expect(await storedClaims(name)).toEqual({ granted: 1, out_of_stock: 20 });
  });

  test("that wait to be stored leave nothing behind of a coupon that is deleted", async () => {
    const name = await soldOut();
    await claim(name, "bob");
    await send("DELETE", `/api/coupons/${name}`);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(false);
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
