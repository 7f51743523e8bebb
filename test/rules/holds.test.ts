// Holds: what a released hold's late duplicate gets, the limits of a coupon, the operator's list, and the end of all holds.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { asks, EngineCalls, holdOf, newCoupon, NO_LEASE, opened, outcomes, T0 } from "./coupon.ts";
import { expectReplayed } from "./holds-ledger.ts";
import { nodeSql } from "./node-sql.ts";
import { objectInNode } from "./object-in-node.ts";

describe("a late duplicate of a request whose hold was released", () => {
  const RELEASED = { ok: false, code: "hold_released", seq: 3 };

  test.for([
    ["by the same engine", false],
    ["after a restart", true],
  ] as const)("does not hold again: %s", ([, isCold]) => {
    const { engine, sql } = opened(2);
    engine.hold(holdOf("ann", 60_000, "first"), T0);
    engine.releaseHold("ann", T0 + 1);
    const judge = isCold ? new EngineCalls(sql) : engine;
    expect(judge.hold(holdOf("ann", 60_000, "first"), T0 + 2)).toEqual(RELEASED);
    expect(sql.all("SELECT * FROM released_holds")).toEqual([{ user_id: "ann", attempt_id: "first", released_at: T0 + 1 }]);
    expect(judge.hold(holdOf("bob", 60_000, "first"), T0 + 2)).toMatchObject({ ok: true, isNew: true });
    expect(judge.hold(holdOf("ann", 60_000, "second"), T0 + 2)).toMatchObject({ ok: true, isNew: true, remaining: 0 });
  });

  test("does not hold again within the batch that releases it", () => {
    const { engine, sql } = opened(2);
    const hold = { kind: "hold", request: holdOf("ann", 60_000, "first") } as const;
    const answers = engine.batch<"hold" | "release_hold">([hold, { kind: "release_hold", userId: "ann" }, hold], T0);
    expect(answers).toMatchObject([{ ok: true, isNew: true }, { ok: true, seq: 3 }, RELEASED]);
    expect(sql.all("SELECT kind FROM ledger ORDER BY seq")).toEqual([{ kind: "created" }, { kind: "held" }, { kind: "given_back" }]);
    expect(sql.all("SELECT user_id FROM released_holds")).toEqual([{ user_id: "ann" }]);
    expectReplayed(sql);
  });

  test("gets the refusal of a closed sale first, as every other user does", () => {
    const { engine } = opened(1);
    engine.hold(holdOf("ann", 60_000, "first"), T0);
    engine.releaseHold("ann", T0);
    engine.claimAll([asks("bob")], T0);
    expect(engine.hold(holdOf("ann", 60_000, "first"), T0)).toMatchObject({ ok: false, code: "out_of_stock" });
  });

  test("does not hinder the same user's claim", () => {
    const { engine } = opened(1);
    engine.hold(holdOf("ann", 60_000, "first"), T0);
    engine.releaseHold("ann", T0);
    expect(outcomes(engine.claimAll([asks("ann", { attemptId: "first" })], T0))).toEqual(["granted"]);
  });
});

describe("holds that begin and end within one batch", () => {
  test("end at their own instants, to the millisecond", () => {
    const { engine, sql } = opened(2);
    const holds = [holdOf("ann", 10), holdOf("bob", 11)].map((request) => ({ message: { kind: "hold", request } as const, at: T0 }));
    const claims = (["cid", "dan", "eve", "fay"] as const).map((user, index) => {
      return { message: { kind: "claim", request: asks(user) } as const, at: T0 + ([9, 10, 10, 11][index] ?? 0) };
    });
    const batch = [...holds, ...claims];
    const { answers } = engine.engine.apply(batch, NO_LEASE);
    expect(answers.slice(2)).toMatchObject([
      { ok: false, code: "out_of_stock" },
      { ok: true, claim: { userId: "dan", claimedAt: T0 + 10 } },
      { ok: false, code: "out_of_stock" },
      { ok: true, claim: { userId: "fay", claimedAt: T0 + 11 } },
    ]);
    expect(sql.all("SELECT at, kind, user_id FROM ledger WHERE seq > 3 ORDER BY seq")).toEqual([
      { at: T0 + 10, kind: "expired", user_id: "ann" },
      { at: T0 + 10, kind: "claimed", user_id: "dan" },
      { at: T0 + 11, kind: "expired", user_id: "bob" },
      { at: T0 + 11, kind: "claimed", user_id: "fay" },
    ]);
    expectReplayed(sql);
  });
});

describe("the longest hold of a coupon", () => {
  test.for([
    [60_000, "ok"],
    [60_001, "hold_too_long"],
  ] as const)("of 60 s makes one of %i ms %s", ([ttlMs, code]) => {
    const { engine } = opened(1, { holdSecondsMax: 60 });
    expect(engine.codeOf({ kind: "hold", request: holdOf("ann", ttlMs) }, T0)).toBe(code);
  });

  test("is named in the refusal, and comes behind the state of the sale", () => {
    const { engine } = opened(1, { holdSecondsMax: 60 });
    expect(engine.hold(holdOf("ann", 60_001), T0)).toEqual({ ok: false, code: "hold_too_long", ttlSecondsMax: 60, seq: 1 });
    engine.claimAll([asks("bob")], T0);
    expect(engine.hold(holdOf("ann", 60_001), T0)).toEqual({ ok: false, code: "out_of_stock", seq: 2 });
  });

  test("does not shorten a hold that runs when it is lowered", () => {
    const { engine } = opened(1);
    engine.hold(holdOf("ann", 60_000), T0);
    engine.change({ holdSecondsMax: 1 }, null, T0);
    expect(engine.getUserClaim("ann", T0 + 59_999)).toMatchObject({ ok: true, hold: { expiresAt: T0 + 60_000 } });
    expect(engine.getUserClaim("ann", T0 + 60_000)).toMatchObject({ ok: false, code: "claim_not_found" });
  });
});

describe("the most holds of a coupon", () => {
  test("are counted within a batch, and a repeated hold is none", () => {
    const { engine } = opened(9, { holdsMax: 2 });
    const messages = ["ann", "bob", "cid", "ann"].map((user) => ({ kind: "hold", request: holdOf(user, 1_000) }) as const);
    expect(engine.batch(messages, T0)).toMatchObject([
      { ok: true, isNew: true, remaining: 8 },
      { ok: true, isNew: true, remaining: 7 },
      { ok: false, code: "hold_limit_reached", seq: 3 },
      { ok: true, remaining: 7 },
    ]);
  });

  test.for<readonly [name: string, act: (engine: EngineCalls) => unknown, at: number, code: string]>([
    ["a millisecond before one expires", () => undefined, T0 + 999, "hold_limit_reached"],
    ["once one has expired", () => undefined, T0 + 1_000, "ok"],
    ["once one was claimed", (engine) => engine.claimAll([asks("ann")], T0), T0, "ok"],
    ["once one was released", (engine) => engine.releaseHold("ann", T0), T0, "ok"],
    ["once the limit is gone", (engine) => engine.change({ holdsMax: null }, null, T0), T0, "ok"],
    ["while the limit is lower than what runs", (engine) => engine.change({ holdsMax: 1 }, null, T0), T0, "hold_limit_reached"],
  ])("%s: another hold is answered", ([, act, at, code]) => {
    const { engine } = opened(9, { holdsMax: 2 });
    engine.hold(holdOf("ann", 1_000), T0);
    engine.hold(holdOf("bob", 1_000), T0);
    act(engine);
    expect(engine.codeOf({ kind: "hold", request: holdOf("cid", 1_000) }, at)).toBe(code);
  });
});

describe("the list of holds", () => {
  test("has pages in the order of the users, without holds that are over", () => {
    const { engine } = opened(9);
    for (const user of ["dan", "ann", "eve", "bob", "cid"]) engine.hold(holdOf(user, user === "bob" ? 1_000 : 60_000), T0);
    const at = T0 + 1_000;
    const first = engine.listHolds("", 2, at);
    expect(first).toEqual({
      ok: true,
      holds: ["ann", "cid"].map((userId) => ({ userId, heldAt: T0, expiresAt: T0 + 60_000, attemptId: `hold-${userId}` })),
      next: "cid",
      seq: 7,
    });
    expect(engine.listHolds("cid", 2, at)).toMatchObject({ holds: [{ userId: "dan" }, { userId: "eve" }], next: null });
    expect(engine.listHolds("eve", 2, at)).toEqual({ ok: true, holds: [], next: null, seq: 7 });
    expect(engine.listHolds("", 4, at)).toMatchObject({ next: null });
  });
});

/** A coupon with 2,500 holds that run, 1 that is over, and 499 units left. */
function held() {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(3_000), "epoch-1", T0);
  const messages = Array.from({ length: 2_500 }, (_, index) => ({ kind: "hold", request: holdOf(`u${index}`, 60_000) }) as const);
  engine.batch(messages, T0);
  engine.hold(holdOf("gone", 1), T0);
  vi.setSystemTime(T0 + 1);
  return { sql, engine };
}

describe("the end of all holds", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: T0 });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test("takes a message for each 1,000 that run", () => {
    const { sql, engine } = held();
    const answers = [1, 2, 3, 4].map(() => engine.releaseAllHolds(T0 + 1));
    expect(answers.map((answer) => answer.ok && [answer.count, answer.remaining])).toEqual([
      [1_000, 1_500],
      [1_000, 2_500],
      [500, 3_000],
      [0, 3_000],
    ]);
    expect(sql.all("SELECT kind, count(*) AS count FROM ledger GROUP BY kind ORDER BY kind")).toEqual([
      { kind: "created", count: 1 },
      { kind: "expired", count: 1 },
      { kind: "given_back", count: 2_500 },
      { kind: "held", count: 2_501 },
    ]);
    expect(sql.all("SELECT count(*) AS count FROM released_holds")).toEqual([{ count: 2_500 }]);
    expectReplayed(sql);
  });

  test("is one call of the object, between whose messages others are judged", async () => {
    const { sql } = held();
    const { object } = await objectInNode(sql);
    const ending = object.releaseAllHolds();
    const claims = [object.claim(asks("u2499")), object.claim(asks("late"))];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await ending).toMatchObject({ ok: true, count: 2_499 });
    expect(await Promise.all(claims)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await object.read({ claimedBy: false })).toMatchObject({ coupon: { held: 0, claimed: 2 } });
    expect(await object.hold(holdOf("u7", 1_000))).toMatchObject({ ok: false, code: "hold_released" });
  });

  test("that breaks behind the first 1,000 is an exception, because holds were ended", async () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    const { sql } = held();
    sql.database.exec(
      `CREATE TEMP TRIGGER broken BEFORE INSERT ON released_holds WHEN (SELECT count(*) FROM released_holds) >= 1000
       BEGIN SELECT RAISE(ABORT, 'injected'); END`,
    );
    const { object } = await objectInNode(sql);
    await expect(object.releaseAllHolds()).rejects.toThrow("only 1000 holds were ended: unavailable");
    expect(await object.read({ claimedBy: false })).toMatchObject({ coupon: { held: 1_500 } });
  });

  test("that breaks at once is unavailable", async () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    const { sql } = held();
    sql.database.exec("CREATE TEMP TRIGGER broken BEFORE INSERT ON released_holds BEGIN SELECT RAISE(ABORT, 'injected'); END");
    const { object } = await objectInNode(sql);
    expect(await object.releaseAllHolds()).toMatchObject({ ok: false, code: "unavailable" });
  });
});
