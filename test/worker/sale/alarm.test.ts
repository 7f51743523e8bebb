// The object's alarm: set where something is due, and not lost however often it fails.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { claim, created, look, users } from "../../support/api.ts";
import { stored, stubOf } from "../../support/storage.ts";
import { alarmOf, change, expectSound, releaseHold, hold, MINUTE, outcome, remove, run, SECOND, setClock, status, T0 } from "./sale.ts";

const OVER = T0 + MINUTE;
const BREAK = "CREATE TRIGGER broken BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'injected'); END";

/** A coupon of 2 units, one of them held until {@link OVER}. */
async function held(): Promise<string> {
  setClock(T0);
  const name = await created(2);
  await hold(name, "ann");
  return name;
}

/** Lets the alarm go off at the time for which it is set; answers after how long it is set again, null for not at all. */
async function ring(name: string): Promise<number | null> {
  const dueAt = await alarmOf(name);
  expect(dueAt).not.toBeNull();
  setClock(Number(dueAt));
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  const nextAt = await alarmOf(name);
  return nextAt === null ? null : nextAt - Number(dueAt);
}

describe("an alarm that fails", () => {
  test("ten times in a row is set again each time, later and later, and does its work once it can", async () => {
    const name = await held();
    await run(name, BREAK);
    const pauses: (number | null)[] = [];
    for (let failure = 1; failure <= 10; failure += 1) pauses.push(await ring(name));
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((seconds) => seconds * SECOND));
    expect((await stored(name)).coupon).toMatchObject({ held: 1, seq: 2 });

    await run(name, "DROP TRIGGER broken");
    expect(await ring(name)).toBeNull();
    const { coupon, holds, ledger } = await stored(name);
    expect([coupon.held, holds, ledger.map(({ kind }) => kind)]).toEqual([0, [], ["created", "held", "expired"]]);
    await expectSound(name);
  });

  test("begins with short pauses again after it worked", async () => {
    const name = await held();
    await run(name, BREAK);
    expect([await ring(name), await ring(name), await ring(name)]).toEqual([SECOND, 2 * SECOND, 4 * SECOND]);
    await run(name, "DROP TRIGGER broken");
    expect(await ring(name)).toBeNull();
    await hold(name, "bob");
    await run(name, BREAK);
    expect([await ring(name), await ring(name)]).toEqual([SECOND, 2 * SECOND]);
  });

  test("is still set when the object is evicted between two failures", async () => {
    const name = await held();
    await run(name, BREAK);
    for (let failure = 1; failure <= 10; failure += 1) {
      expect(await ring(name)).toBe(SECOND);
      await evictDurableObject(stubOf(name));
    }
    await run(name, "DROP TRIGGER broken");
    expect(await ring(name)).toBeNull();
    await expectSound(name);
  });

  test("leaves the coupon unavailable rather than wrong, tells nothing of the storage, and is not needed to mend it", async () => {
    const name = await held();
    await run(name, BREAK);
    await ring(name);
    for (const answer of [await look(name), await claim(name, "bob"), await hold(name, "bob"), await change(name, { amount: 5 })]) {
      expect([outcome(answer), answer.headers.get("Retry-After")]).toEqual(["503 unavailable", "1"]);
      expect(JSON.stringify(answer.body)).not.toMatch(/injected|SQLITE|trigger/i);
    }
    await run(name, "DROP TRIGGER broken");
    expect((await claim(name, "bob")).body).toMatchObject({ position: 1, remaining_amount: 1 });
    await expectSound(name);
  });
});

describe("an alarm is set", () => {
  test("for the hold that ends first, and then for the next", async () => {
    setClock(T0);
    const name = await created(5);
    const set: (number | null)[] = [];
    for (const [user, seconds] of [
      ["a", 50],
      ["b", 20],
      ["c", 30],
    ] as const) {
      await hold(name, user, seconds);
      set.push(await alarmOf(name));
    }
    expect(set).toEqual([50, 20, 20].map((seconds) => T0 + seconds * SECOND));
    expect([await ring(name), await ring(name), await ring(name)]).toEqual([10 * SECOND, 20 * SECOND, null]);
    expect((await stored(name)).holds).toEqual([]);
    await expectSound(name);
  });

  test("again by an object that was evicted, for what is still held", async () => {
    const name = await held();
    await evictDurableObject(stubOf(name));
    expect(await alarmOf(name)).toBe(OVER);
    await hold(name, "bob", 30);
    expect([await alarmOf(name), await ring(name), await ring(name)]).toEqual([T0 + 30 * SECOND, 30 * SECOND, null]);
    expect((await stored(name)).coupon.held).toBe(0);
  });

  test("for no claim: 50 users ask for 5 units, and none is set", async () => {
    setClock(T0);
    const name = await created(5);
    await Promise.all(users(50).map((user) => claim(name, user)));
    for (let time = 0; time < 3; time += 1) await status(name);
    expect(await alarmOf(name)).toBeNull();
    await expectSound(name);
  });

  test("to no purpose where the hold was given back or claimed, and then changes nothing", async () => {
    setClock(T0);
    const name = await created(5);
    for (const user of ["ann", "bob"]) await hold(name, user, 5);
    await releaseHold(name, "ann");
    await claim(name, "bob");
    await ring(name);
    const { coupon, ledger } = await stored(name);
    expect([coupon.claimed, coupon.held, ledger.map(({ kind }) => kind)]).toEqual([
      1,
      0,
      ["created", "held", "held", "given_back", "claimed"],
    ]);
    await expectSound(name);
  });
});

test("no alarm outlives its coupon", async () => {
  const name = await held();
  await remove(name);
  expect([await alarmOf(name), await runDurableObjectAlarm(stubOf(name))]).toEqual([null, false]);
});
