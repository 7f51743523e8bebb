// When a hold is over: to the millisecond, whoever comes by first, and in time though nobody does.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { expectRefused } from "../contract/wire.ts";
import { claim, create, created, look, tally, users } from "../../support/api.ts";
import { stored, stubOf } from "../../support/storage.ts";
import {
  alarmOf,
  change,
  expectSound,
  releaseHold,
  hold,
  iso,
  list,
  MINUTE,
  outcome,
  own,
  pathOf,
  release,
  setClock,
  status,
  T0,
} from "./sale.ts";

const OVER = T0 + MINUTE;

/** A coupon of 2 units: `winner` has one, the other is held for `ann` until {@link OVER}. */
async function held(): Promise<string> {
  setClock(T0);
  const name = await created(2);
  await claim(name, "winner");
  await hold(name, "ann");
  return name;
}

describe("a hold runs until expires_at, and not at it", () => {
  test.for([
    [-1, 200, 0, "400 out_of_stock"],
    [0, 404, 1, "201"],
    [1, 404, 1, "201"],
  ] as const)("%i ms: the holder's look is %i, %i remain, another's claim is %s", async ([laterMs, seen, left, told]) => {
    const name = await held();
    setClock(OVER + laterMs);
    expect((await own(name, "ann")).status).toBe(seen);
    expect((await look(name)).body["remaining_amount"]).toBe(left);
    expect((await status(name)).body["remaining_amount"]).toBe(left);
    expect(outcome(await claim(name, "bob"))).toBe(told);
    await expectSound(name);
  });

  test.for([
    [-1, "201"],
    [0, "403 sale_paused"],
    [1, "403 sale_paused"],
  ] as const)("%i ms: the holder's claim of a paused sale is %s", async ([laterMs, told]) => {
    const name = await held();
    await change(name, { paused: true });
    setClock(OVER + laterMs);
    expect(outcome(await claim(name, "ann"))).toBe(told);
    await expectSound(name);
  });

  test.for([
    [-1, 200, T0],
    [0, 201, OVER],
    [1, 201, OVER + 1],
  ] as const)("%i ms: to hold again is %i", async ([laterMs, code, heldAt]) => {
    const name = await held();
    setClock(OVER + laterMs);
    const again = await hold(name, "ann");
    expect([again.status, again.body["held_at"], again.body["expires_at"]]).toEqual([code, iso(heldAt), iso(heldAt + MINUTE)]);
    await expectSound(name);
  });

  test.for([-1, 0, 1])("%i ms: 50 claims at once, the holder's among them, give out one unit", async (laterMs) => {
    const name = await held();
    setClock(OVER + laterMs);
    const answers = await Promise.all([...users(25), "ann", ...users(24, "later")].map((user) => claim(name, user)));
    expect(tally(answers)).toEqual({ 201: 1, "400 out_of_stock": 49 });
    await expectSound(name);
  });

  test("a look shows the hold, then 404; a claim in time, and it shows the receipt from then on", async () => {
    const name = await held();
    const kept = { coupon_name: name, user_id: "ann", held_at: iso(T0), expires_at: iso(OVER) };
    expect((await own(name, "ann")).body).toEqual(kept);
    setClock(OVER);
    expectRefused(await own(name, "ann"), "404 claim_not_found", "this user has no claim of this coupon");

    await hold(name, "ann", 1);
    expect((await own(name, "ann")).body).toMatchObject({ expires_at: iso(OVER + 1000) });
    const { remaining_amount: _left, ...receipt } = (await claim(name, "ann")).body;
    setClock(OVER + MINUTE);
    expect((await own(name, "ann")).body).toEqual(receipt);
    await expectSound(name);
  });
});

const OPERATIONS = {
  "a look": (name: string) => look(name),
  "a look at the status": (name: string) => status(name),
  "a list": (name: string) => list(name),
  "a look at one's own claim": (name: string) => own(name, "winner"),
  "a claim": (name: string) => claim(name, "bob"),
  "a claim that is refused": (name: string) => claim(name, "winner"),
  "a hold": (name: string) => hold(name, "bob"),
  "a hold that is refused": (name: string) => hold(name, "winner"),
  "a hold given back": (name: string) => releaseHold(name, "bob"),
  "the same hold given back": (name: string) => releaseHold(name, "ann"),
  "a release": (name: string) => release(name, "winner"),
  "a release that is refused": (name: string) => release(name, "nobody"),
  "a change": (name: string) => change(name, { paused: true }),
  "a change of nothing": (name: string) => change(name, {}),
  "a change of the amount to what is claimed": (name: string) => change(name, { amount: 1 }),
  "a create that is refused": (name: string) => create(name, 5),
  "a look at the metrics": (name: string) => exports.default.fetch(`https://doorbuster.test${pathOf(name, "metrics")}`),
} as const;
const EXPIRING = Object.keys(OPERATIONS).filter((operation) => operation !== "a create that is refused") as (keyof typeof OPERATIONS)[];

describe("whoever comes first after a hold is over finds it gone, without any alarm", () => {
  describe.for(["by the same object", "by one that was evicted"] as const)("%s", (object) => {
    test.for(EXPIRING)("%s", async (operation) => {
      const name = await held();
      setClock(OVER + 5);
      for (const evicted of object === "by one that was evicted" ? [stubOf(name)] : []) await evictDurableObject(evicted);
      const { status: code } = await OPERATIONS[operation](name);
      expect(code).toBeLessThan(500);

      const { holds, ledger } = await stored(name);
      expect(holds.filter(({ user_id }) => user_id === "ann")).toEqual([]);
      expect(ledger[3]).toMatchObject({ seq: 4, at: OVER + 5, kind: "expired", user_id: "ann", position: null });
      expect(ledger.filter(({ kind }) => kind === "expired" || kind === "given_back")).toHaveLength(1);
      await expectSound(name);
    });
  });

  test("a create is refused, and leaves it to others", async () => {
    const name = await held();
    setClock(OVER);
    expect(outcome(await OPERATIONS["a create that is refused"](name))).toBe("409 coupon_exists");
    expect((await status(name)).body["remaining_amount"]).toBe(1);
    await expectSound(name);
  });
});

/** Five holds, from 50 s down to 10 s; two end together at 30 s. */
async function queue(): Promise<string> {
  setClock(T0);
  const name = await created(5);
  for (const [user, seconds] of [
    ["e", 50],
    ["d", 40],
    ["c", 30],
    ["b", 30],
    ["a", 10],
  ] as const)
    await hold(name, user, seconds);
  return name;
}

describe("several holds", () => {
  test("end each at its time, the earliest first", async () => {
    const name = await queue();
    const left: unknown[] = [];
    for (const seconds of [9, 10, 29, 30, 39, 40, 49, 50]) {
      setClock(T0 + seconds * 1000);
      left.push((await status(name)).body["remaining_amount"]);
    }
    expect(left).toEqual([0, 1, 1, 3, 3, 4, 4, 5]);
    const { ledger } = await expectSound(name);
    const ended = ledger.filter(({ kind }) => kind === "expired").map(({ at, user_id }) => `${user_id}@${(at - T0) / 1000}`);
    expect(ended).toEqual(["a@10", "b@30", "c@30", "d@40", "e@50"]);
  });

  test("that are over together end in one turn, and the next one goes on", async () => {
    const name = await queue();
    setClock(T0 + 40_000);
    expect((await claim(name, "newcomer")).body["remaining_amount"]).toBe(3);
    expect((await own(name, "e")).body["expires_at"]).toBe(iso(T0 + 50_000));
    const { holds, ledger } = await expectSound(name);
    expect(holds.map(({ user_id }) => user_id)).toEqual(["e"]);
    expect(ledger.slice(6).map(({ kind, user_id }) => `${kind} ${user_id}`)).toEqual([
      "expired a",
      "expired b",
      "expired c",
      "expired d",
      "claimed newcomer",
    ]);
  });

  test("500 that are over at once are all gone with the next call", async () => {
    setClock(T0);
    const name = await created(500);
    await Promise.all(users(500).map((user) => hold(name, user)));
    setClock(OVER);
    expect((await claim(name, "newcomer")).body).toMatchObject({ position: 1, remaining_amount: 499 });
    expect((await expectSound(name)).coupon.seq).toBe(1002);
  });
});

test("a hold that was over stays over, though the clock steps back and the object is evicted", async () => {
  const name = await held();
  setClock(OVER);
  expect((await own(name, "ann")).status).toBe(404);
  setClock(OVER - 30_000);
  await evictDurableObject(stubOf(name));
  expect((await own(name, "ann")).status).toBe(404);
  expect((await claim(name, "bob")).body).toMatchObject({ claimed_at: iso(OVER), remaining_amount: 0 });
  await expectSound(name);
});

describe("the alarm", () => {
  test("ends a hold in time though nobody calls", async () => {
    const name = await held();
    await runDurableObjectAlarm(stubOf(name));
    expect(await alarmOf(name)).toBe(OVER);
    setClock(OVER);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    const { coupon, holds, ledger } = await stored(name);
    expect([coupon.held, holds, ledger.at(-1)]).toMatchObject([0, [], { at: OVER, kind: "expired", user_id: "ann" }]);
    expect(await alarmOf(name)).toBeNull();
    await expectSound(name);
  });

  test("that comes too early ends nothing, and comes again", async () => {
    const name = await held();
    setClock(OVER - 1);
    await runDurableObjectAlarm(stubOf(name));
    expect([(await stored(name)).coupon.held, await alarmOf(name)]).toEqual([1, OVER]);
  });
});
