// When a hold expires: to the millisecond, at the first call after it, and by the alarm where nothing calls.

import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import { NOTICE_ALARM_MS } from "../../../src/domain/delivery-limits.ts";
import { change, claim, created, getUserClaim, hold, outcomeOf, read, readStatus, receiptOf } from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { alarmOf, stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";

const EXPIRES_AT = T0 + MINUTE;

/** A coupon of 2 units: `winner` has one, the other is held for `ann` until {@link EXPIRES_AT}. */
async function held(): Promise<string> {
  setClock(T0);
  const name = await created(2);
  await claim(name, "winner");
  await hold(name, "ann");
  return name;
}

describe.for([
  [-1, { user: 200, remaining: 0, other: "400 out_of_stock", paused: "201", again: 200, heldAt: T0 }],
  [0, { user: 404, remaining: 1, other: "201", paused: "403 sale_paused", again: 201, heldAt: EXPIRES_AT }],
] as const)("%i ms after expires_at", ([laterMs, expected]) => {
  const when = laterMs < 0 ? "just before" : "at";

  async function heldThen(): Promise<string> {
    const name = await held();
    setClock(EXPIRES_AT + laterMs);
    return name;
  }

  test(`the hold and the remaining amount are right ${when} expires_at`, async () => {
    const name = await heldThen();
    expect((await getUserClaim(name, "ann")).status).toBe(expected.user);
    expect((await read(name)).body["remaining_amount"]).toBe(expected.remaining);
    expect((await readStatus(name)).body["remaining_amount"]).toBe(expected.remaining);
    expect(outcomeOf(await claim(name, "bob"))).toBe(expected.other);
    await expectConserved(name);
  });

  test(`the holder's claim of a paused sale gets ${expected.paused} ${when} expires_at`, async () => {
    const name = await held();
    await change(name, { paused: true });
    setClock(EXPIRES_AT + laterMs);
    expect(outcomeOf(await claim(name, "ann"))).toBe(expected.paused);
    await expectConserved(name);
  });
});

test("a user's claim shows the hold until it expires", async () => {
  const name = await held();
  const shown = { coupon_name: name, user_id: "ann", held_at: iso(T0), expires_at: iso(EXPIRES_AT) };
  expect((await getUserClaim(name, "ann")).body).toEqual(shown);
  setClock(EXPIRES_AT);
  expectRefused(await getUserClaim(name, "ann"), "404 claim_not_found");

  await hold(name, "ann", 1);
  expect((await getUserClaim(name, "ann")).body).toMatchObject({ expires_at: iso(EXPIRES_AT + 1000) });
  const receipt = receiptOf(await claim(name, "ann"));
  setClock(EXPIRES_AT + MINUTE);
  expect((await getUserClaim(name, "ann")).body).toEqual(receipt);
  await expectConserved(name);
});

test("the alarm expires a hold in time, and nothing earlier", async () => {
  const name = await held();
  for (const at of [T0, EXPIRES_AT - 1]) {
    setClock(at);
    await runDurableObjectAlarm(stubOf(name));
    expect([(await stored(name)).coupon.held, await alarmOf(name)]).toEqual([1, EXPIRES_AT]);
  }
  setClock(EXPIRES_AT);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  const { coupon, holds, ledger } = await stored(name);
  expect([coupon.held, holds, ledger.at(-1)]).toMatchObject([0, [], { at: EXPIRES_AT, kind: "expired", user_id: "ann" }]);
  // The expiry is news for the courier.
  expect(await alarmOf(name)).toBe(EXPIRES_AT + NOTICE_ALARM_MS);
  await expectConserved(name);
});
