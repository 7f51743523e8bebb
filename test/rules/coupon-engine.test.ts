// One coupon in one database: who gets a unit, how all others are refused, and what is written down.

import { describe, expect, test } from "vitest";

import {
  asks,
  contents,
  crowd,
  EngineCalls,
  expectConserved,
  holdOf,
  newCoupon,
  opened,
  outcomes,
  readCold,
  storedClaims,
  T0,
  tally,
} from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const HOUR = 3_600_000;

describe("a coupon that was never created", () => {
  test("is not found, and asking for it stores nothing, not even a table", () => {
    const sql = nodeSql();
    const engine = new EngineCalls(sql);
    expect(engine.claimAll(crowd(3), T0)).toEqual([
      { ok: false, code: "coupon_not_found", seq: 0 },
      { ok: false, code: "coupon_not_found", seq: 0 },
      { ok: false, code: "coupon_not_found", seq: 0 },
    ]);
    expect(engine.read({ claimedBy: true }, T0)).toEqual({ ok: false, code: "coupon_not_found", seq: 0 });
    expect(contents(sql)).toEqual({});
    expect(engine.seq).toBe(0);
  });

  test("is found once it is there, by an engine that did not find it", () => {
    const sql = nodeSql();
    const early = new EngineCalls(sql);
    early.claimAll(crowd(1), T0);
    new EngineCalls(sql).create(newCoupon(2), "epoch-1", T0);
    expect(outcomes(early.claimAll(crowd(1), T0))).toEqual(["granted"]);
  });
});

describe("creating", () => {
  test("answers the whole coupon and writes the ledger's first event", () => {
    const sql = nodeSql();
    const engine = new EngineCalls(sql);
    const result = engine.create(newCoupon(5, { startsAt: T0 - HOUR, endsAt: T0 + HOUR }), "epoch-1", T0);
    expect(result).toMatchObject({
      ok: true,
      seq: 1,
      coupon: {
        name: "PROMO",
        amount: 5,
        claimed: 0,
        held: 0,
        paused: false,
        startsAt: T0 - HOUR,
        endsAt: T0 + HOUR,
        createdAt: T0,
        epoch: "epoch-1",
        state: "open",
      },
    });
    expect(sql.all("SELECT seq, at, kind, user_id, position, data FROM ledger")).toEqual([
      {
        seq: 1,
        at: T0,
        kind: "created",
        user_id: null,
        position: null,
        data: `{"amount":5,"starts_at":${T0 - HOUR},"ends_at":${T0 + HOUR},"hold_seconds_max":86400,"holds_max":null}`,
      },
    ]);
  });

  test("again answers coupon_exists and resets nothing, neither warm nor cold", () => {
    const { engine, sql } = opened(3);
    engine.claimAll(crowd(2), T0);
    const before = contents(sql);
    for (const again of [engine, new EngineCalls(sql)]) {
      expect(again.create(newCoupon(1000), "epoch-2", T0 + 1)).toEqual({ ok: false, code: "coupon_exists", seq: 3 });
    }
    expect(contents(sql)).toEqual(before);
  });
});

describe("claiming", () => {
  test("gives units in the order of the batch, with position, remainder and seq", () => {
    const { engine, sql } = opened(3);
    const results = engine.claimAll([asks("ann"), asks("bob"), asks("cid"), asks("dan")], T0 + 7);
    expect(results).toMatchObject([
      { ok: true, replayed: false, seq: 2, claim: { userId: "ann", position: 1, claimedAt: T0 + 7, remainingAfter: 2 } },
      { ok: true, replayed: false, seq: 3, claim: { userId: "bob", position: 2, claimedAt: T0 + 7, remainingAfter: 1 } },
      { ok: true, replayed: false, seq: 4, claim: { userId: "cid", position: 3, claimedAt: T0 + 7, remainingAfter: 0 } },
      { ok: false, code: "out_of_stock", seq: 4 },
    ]);
    expect(storedClaims(sql)).toEqual([
      { user_id: "ann", position: 1, claimed_at: T0 + 7, remaining_after: 2 },
      { user_id: "bob", position: 2, claimed_at: T0 + 7, remaining_after: 1 },
      { user_id: "cid", position: 3, claimed_at: T0 + 7, remaining_after: 0 },
    ]);
    expect(sql.all("SELECT seq, at, kind, user_id, position FROM ledger WHERE seq > 1")).toEqual([
      { seq: 2, at: T0 + 7, kind: "claimed", user_id: "ann", position: 1 },
      { seq: 3, at: T0 + 7, kind: "claimed", user_id: "bob", position: 2 },
      { seq: 4, at: T0 + 7, kind: "claimed", user_id: "cid", position: 3 },
    ]);
    expectConserved(sql, 3);
  });

  test("goes on over batches until nothing is left, and never beyond", () => {
    const { engine, sql } = opened(25);
    const answers = Array.from({ length: 6 }, (_, index) => engine.claimAll(crowd(7, `batch-${index}`), T0 + index)).flat();
    expect(tally(answers)).toEqual({ granted: 25, out_of_stock: 17 });
    expect(outcomes(answers).slice(0, 26)).toEqual([...Array<string>(25).fill("granted"), "out_of_stock"]);
    expect(engine.seq).toBe(26);
    expectConserved(sql, 25);
  });

  test("gives a user who appears twice in a batch one unit", () => {
    const { engine, sql } = opened(9);
    const results = engine.claimAll([asks("ann"), asks("bob"), asks("ann"), asks("ann")], T0);
    expect(outcomes(results)).toEqual(["granted", "granted", "already_claimed", "already_claimed"]);
    expect(results[2]).toMatchObject({ code: "already_claimed", claim: { userId: "ann", position: 1, remainingAfter: 8 }, seq: 3 });
    expectConserved(sql, 2);
  });

  test("an empty batch answers nothing and writes nothing", () => {
    const { engine, sql } = opened(1);
    const before = contents(sql);
    expect(engine.claimAll([], T0)).toEqual([]);
    expect(contents(sql)).toEqual(before);
  });

  test("takes user ids as they are: near-twins are different users", () => {
    const { engine, sql } = opened(10);
    const twins = ["ann", "Ann", " ann", "ann ", "a\u0301nn", "\u00e1nn", "用户 🎉", "1", "1.0", "' OR 1=1 --"];
    expect(
      tally(
        engine.claimAll(
          twins.map((user) => asks(user)),
          T0,
        ),
      ),
    ).toEqual({ granted: 10 });
    expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(twins);
    expectConserved(sql, 10);
  });
});

describe("a bulk claim", () => {
  test("answers its users in their order, with what is left", () => {
    const { engine, sql } = opened(3);
    engine.claimAll([asks("ann")], T0);
    const result = engine.claimMany(["bob", "ann", "bob", "cid", "dan"], "bulk", T0 + 1);
    expect(result).toMatchObject({
      ok: true,
      remaining: 0,
      seq: 4,
      results: [
        { ok: true, replayed: false, claim: { userId: "bob", position: 2, claimedAt: T0 + 1, attemptId: "bulk" } },
        { ok: false, code: "already_claimed", claim: { userId: "ann", position: 1 } },
        { ok: true, replayed: true, claim: { userId: "bob", position: 2 } },
        { ok: true, replayed: false, claim: { userId: "cid", position: 3 } },
        { ok: false, code: "out_of_stock" },
      ],
    });
    expectConserved(sql, 3);
  });

  test.for([1, 20])("turns its users' holds into claims, and no others, among %i users", (count) => {
    const { engine, sql } = opened(2);
    engine.hold(holdOf("holder", 60_000), T0);
    engine.hold(holdOf("other", 60_000), T0);
    const users = ["late", "holder", ...Array.from({ length: count }, (_, index) => `later-${index}`)];
    const result = engine.claimMany(users, "bulk", T0 + 1);
    expect(result.ok && outcomes(result.results)).toEqual(["out_of_stock", "granted", ...Array<string>(count).fill("out_of_stock")]);
    expect(result).toMatchObject({ ok: true, remaining: 0, seq: 4 });
    expect(sql.all("SELECT claimed, held FROM coupon")).toEqual([{ claimed: 1, held: 1 }]);
    expect(sql.all("SELECT user_id FROM holds")).toEqual([{ user_id: "other" }]);
  });

  test("repeated in the same attempt gives the same receipts", () => {
    const { engine } = opened(2);
    const first = engine.claimMany(["ann", "bob", "cid"], "bulk", T0);
    const second = engine.claimMany(["ann", "bob", "cid"], "bulk", T0 + 1);
    expect(first.ok && outcomes(first.results)).toEqual(["granted", "granted", "out_of_stock"]);
    expect(second.ok && outcomes(second.results)).toEqual(["replayed", "replayed", "out_of_stock"]);
  });
});

describe("an engine that never saw the coupon before", () => {
  test("knows all that the first one knew", () => {
    const { engine, sql } = opened(4);
    engine.claimAll([asks("ann", { key: "k" }), asks("bob")], T0);
    expect(readCold(sql)).toEqual(engine.read({ claimedBy: true }, T0));

    const cold = new EngineCalls(sql);
    const results = cold.claimAll([asks("ann", { key: "k" }), asks("bob"), asks("cid"), asks("dan"), asks("eve")], T0);
    expect(outcomes(results)).toEqual(["replayed", "already_claimed", "granted", "granted", "out_of_stock"]);
    expect(results[2]).toMatchObject({ claim: { position: 3 }, seq: 4 });
    expectConserved(sql, 4);
  });

  test("stands for what was reloaded", () => {
    const { engine, sql } = opened(4);
    engine.claimAll(crowd(2), T0);
    engine.reload();
    expect(engine.seq).toBe(3);
    expect(outcomes(engine.claimAll(crowd(3, "later"), T0))).toEqual(["granted", "granted", "out_of_stock"]);
    expect(engine.seq).toBe(5);
    expectConserved(sql, 4);
  });
});

describe("reading", () => {
  test("lists claimants only where that is requested, in claim order", () => {
    const { engine } = opened(9);
    engine.claimAll([asks("zoe"), asks("ann"), asks("mia")], T0);
    engine.claimAll([asks("bob")], T0);
    expect(engine.read({ claimedBy: true }, T0)).toMatchObject({ seq: 5, coupon: { claimed: 4, claimedBy: ["zoe", "ann", "mia", "bob"] } });
    expect(JSON.stringify(engine.read({ claimedBy: false }, T0))).not.toContain("zoe");
  });

  test("writes nothing", () => {
    const { engine, sql } = opened(2);
    engine.claimAll(crowd(1), T0);
    const before = contents(sql);
    engine.read({ claimedBy: true }, T0 + HOUR);
    expect(contents(sql)).toEqual(before);
  });
});
