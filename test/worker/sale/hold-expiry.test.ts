// When a hold expires: to the millisecond, at the first call after it, and by the alarm where nothing calls.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test } from "vitest";

import {
  change,
  claim,
  countOutcomes,
  create,
  created,
  getUserClaim,
  hold,
  listClaims,
  outcomeOf,
  pathOf,
  read,
  readStatus,
  receiptOf,
  releaseHold,
  revoke,
  users,
} from "../../support/api.ts";
import { iso, MINUTE, setClock, T0 } from "../../support/clock.ts";
import { expectConserved } from "../../support/conserved.ts";
import { alarmOf, stored, stubOf } from "../../support/storage.ts";
import { expectRefused } from "../../support/wire.ts";
import { fetchWith } from "../../support/worker.ts";

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
  async function heldThen(): Promise<string> {
    const name = await held();
    setClock(EXPIRES_AT + laterMs);
    return name;
  }

  test("the hold and the remaining amount are right", async () => {
    const name = await heldThen();
    expect((await getUserClaim(name, "ann")).status).toBe(expected.user);
    expect((await read(name)).body["remaining_amount"]).toBe(expected.remaining);
    expect((await readStatus(name)).body["remaining_amount"]).toBe(expected.remaining);
    expect(outcomeOf(await claim(name, "bob"))).toBe(expected.other);
    await expectConserved(name);
  });

  test(`the holder's claim of a paused sale gets ${expected.paused}`, async () => {
    const name = await held();
    await change(name, { paused: true });
    setClock(EXPIRES_AT + laterMs);
    expect(outcomeOf(await claim(name, "ann"))).toBe(expected.paused);
    await expectConserved(name);
  });

  test(`the holder's next hold gets ${expected.again}`, async () => {
    const name = await heldThen();
    const { status, body } = await hold(name, "ann");
    expect([status, body["held_at"], body["expires_at"]]).toEqual([expected.again, iso(expected.heldAt), iso(expected.heldAt + MINUTE)]);
    await expectConserved(name);
  });

  test("50 claims at once get one unit", async () => {
    const name = await heldThen();
    const answers = await Promise.all([...users(25), "ann", ...users(24, "later")].map((user) => claim(name, user)));
    expect(countOutcomes(answers)).toEqual({ 201: 1, "400 out_of_stock": 49 });
    await expectConserved(name, answers);
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

const OPERATIONS = {
  "a read": (name: string) => read(name),
  "a read of the status": (name: string) => readStatus(name),
  "a read of the metrics": (name: string) => fetchWith({}, "GET", pathOf(name, "metrics")),
  "a list": (name: string) => listClaims(name),
  "a claim": (name: string) => claim(name, "bob"),
  "a hold": (name: string) => hold(name, "bob"),
  "a release": (name: string) => releaseHold(name, "bob"),
  "a release of the hold itself": (name: string) => releaseHold(name, "ann"),
  "a revoke": (name: string) => revoke(name, "winner"),
  "a change": (name: string) => change(name, { paused: true }),
  "a change of the amount to what is claimed": (name: string) => change(name, { amount: 1 }),
} as const;

test.for(Object.entries(OPERATIONS))("%s after expires_at finds the hold expired, also by an evicted object", async ([, operate]) => {
  for (const isEvicted of [false, true]) {
    const name = await held();
    setClock(EXPIRES_AT + 5);
    if (isEvicted) await evictDurableObject(stubOf(name));
    expect((await operate(name)).status).toBeLessThan(500);
    const { holds, ledger } = await stored(name);
    expect(holds.filter(({ user_id }) => user_id === "ann")).toEqual([]);
    expect(ledger[3]).toMatchObject({ seq: 4, at: EXPIRES_AT + 5, kind: "expired", user_id: "ann", position: null });
    expect(ledger.filter(({ kind }) => kind === "expired" || kind === "given_back")).toHaveLength(1);
    await expectConserved(name);
  }
});

test("a create after expires_at is refused, and the hold expires at the next read", async () => {
  const name = await held();
  setClock(EXPIRES_AT);
  expect(outcomeOf(await create(name, 5))).toBe("409 coupon_exists");
  expect((await readStatus(name)).body["remaining_amount"]).toBe(1);
  await expectConserved(name);
});

test("holds that are over expire before the next claim, earliest first", async () => {
  setClock(T0);
  const name = await created(5);
  const seconds = { e: 50, d: 40, c: 30, b: 30, a: 10 };
  for (const [user, ttl] of Object.entries(seconds)) await hold(name, user, ttl);
  setClock(T0 + 40_000);
  expect((await claim(name, "new-user")).body["remaining_amount"]).toBe(3);
  expect((await getUserClaim(name, "e")).body["expires_at"]).toBe(iso(T0 + 50_000));
  const { holds, ledger } = await expectConserved(name);
  expect(holds.map(({ user_id }) => user_id)).toEqual(["e"]);
  expect(ledger.slice(6).map(({ kind, user_id }) => `${kind} ${user_id}`)).toEqual([
    "expired a",
    "expired b",
    "expired c",
    "expired d",
    "claimed new-user",
  ]);
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
  expect(await alarmOf(name)).toBeNull();
  await expectConserved(name);
});
