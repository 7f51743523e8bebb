// The object's alarm is set again each time it fails.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";

import { NOTICE_ALARM_MS } from "../../../src/domain/delivery-limits.ts";
import { created, hold } from "../../support/api.ts";
import { SECOND, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { alarmOf, runSql, stored, stubOf } from "../../support/storage.ts";

const BREAK = "CREATE TRIGGER broken BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'injected'); END";

/** A coupon of 2 units, one of them held for a minute. */
async function held(): Promise<string> {
  setClock(T0);
  const name = await created(2);
  await hold(name, "ann");
  return name;
}

/** Runs the alarm at the time for which it is set. Returns the pause until it is set again, or null. */
async function runAlarm(name: string): Promise<number | null> {
  const dueAt = await alarmOf(name);
  expect(dueAt).not.toBeNull();
  setClock(Number(dueAt));
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  const nextAt = await alarmOf(name);
  return nextAt === null ? null : nextAt - Number(dueAt);
}

test("an alarm that fails is set again after longer and longer pauses", async () => {
  const name = await held();
  await runSql(name, BREAK);
  const pauses: (number | null)[] = [];
  for (let failure = 1; failure <= 10; failure += 1) pauses.push(await runAlarm(name));
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((seconds) => seconds * SECOND));
  expect((await stored(name)).coupon).toMatchObject({ held: 1, seq: 2 });

  await runSql(name, "DROP TRIGGER broken");
  // The expiry is news for the courier. The next alarm would repeat the notice, and has nothing to do.
  expect([await runAlarm(name), await runAlarm(name)]).toEqual([NOTICE_ALARM_MS, null]);
  const { coupon, holds, ledger } = await stored(name);
  expect([coupon.held, holds, ledger.map(({ kind }) => kind)]).toEqual([0, [], ["created", "held", "expired"]]);
  await hold(name, "bob");
  await runSql(name, BREAK);
  expect([await runAlarm(name), await runAlarm(name)]).toEqual([SECOND, 2 * SECOND]);
});

test("an alarm that fails is still set after an eviction between two failures", async () => {
  const name = await held();
  await runSql(name, BREAK);
  for (let failure = 1; failure <= 3; failure += 1) {
    expect(await runAlarm(name)).toBe(SECOND);
    await evictDurableObject(stubOf(name));
  }
  await runSql(name, "DROP TRIGGER broken");
  // The expiry is news for the courier. The next alarm would repeat the notice, and has nothing to do.
  expect([await runAlarm(name), await runAlarm(name)]).toEqual([NOTICE_ALARM_MS, null]);
  await expectConserved(name);
});
