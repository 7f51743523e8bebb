// One coupon in one database: which users get a unit, and what is stored.

import { expect, test } from "vitest";

import {
  asks,
  contents,
  countOutcomes,
  EngineCalls,
  expectConserved,
  holdOf,
  manyClaims,
  newCoupon,
  opened,
  outcomes,
  storedClaims,
  T0,
} from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const HOUR = 3_600_000;

test("a coupon that was never created is not found, and reads and claims store no table", () => {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  const refusal = { ok: false, code: "coupon_not_found", seq: 0 };
  expect(engine.claimAll(manyClaims(2), T0)).toEqual([refusal, refusal]);
  expect(engine.read({ claimedBy: true }, T0)).toEqual(refusal);
  expect(contents(sql)).toEqual({});
});

test("an engine that did not find a coupon grants claims once it is created", () => {
  const sql = nodeSql();
  const early = new EngineCalls(sql);
  early.claimAll(manyClaims(1), T0);
  new EngineCalls(sql).create(newCoupon(2), "epoch-1", T0);
  expect(outcomes(early.claimAll(manyClaims(1), T0))).toEqual(["granted"]);
});

test("a create returns the whole coupon and writes the ledger's first event", () => {
  const sql = nodeSql();
  const window = { startsAt: T0 - HOUR, endsAt: T0 + HOUR };
  const result = new EngineCalls(sql).create(newCoupon(5, window), "epoch-1", T0);
  const coupon = {
    name: "PROMO",
    amount: 5,
    claimed: 0,
    held: 0,
    paused: false,
    ...window,
    createdAt: T0,
    epoch: "epoch-1",
    state: "open",
  };
  expect(result).toMatchObject({ ok: true, seq: 1, coupon });
  const others = `"hold_seconds_max":86400,"holds_max":null,"title":null,"description":null,"image_url":null,"paused":0`;
  const data = `{"amount":5,"starts_at":${T0 - HOUR},"ends_at":${T0 + HOUR},${others}}`;
  const event = { seq: 1, at: T0, kind: "created", user_id: null, position: null, data };
  expect(sql.all("SELECT seq, at, kind, user_id, position, data FROM ledger")).toEqual([event]);
});

test("a second create gets coupon_exists and changes nothing, by a warm and a cold engine", () => {
  const { engine, sql } = opened(3);
  engine.claimAll(manyClaims(2), T0);
  const before = contents(sql);
  for (const again of [engine, new EngineCalls(sql)]) {
    expect(again.create(newCoupon(1000), "epoch-2", T0 + 1)).toEqual({ ok: false, code: "coupon_exists", seq: 3 });
  }
  expect(contents(sql)).toEqual(before);
});

test("claims of a batch get units in its order, with position, remainder and seq", () => {
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
  expectConserved(sql, 3);
});

test("a user three times in a batch gets one unit", () => {
  const { engine, sql } = opened(9);
  const results = engine.claimAll([asks("ann"), asks("bob"), asks("ann"), asks("ann")], T0);
  expect(outcomes(results)).toEqual(["granted", "granted", "already_claimed", "already_claimed"]);
  expect(results[2]).toMatchObject({ claim: { userId: "ann", position: 1, remainingAfter: 8 }, seq: 3 });
  expectConserved(sql, 2);
});

test("user ids that differ only in case, spaces or Unicode form are different users", () => {
  const { engine, sql } = opened(10);
  const ids = ["ann", "Ann", " ann", "ann ", "a\u0301nn", "\u00e1nn", "用户 🎉", "1", "1.0", "' OR 1=1 --"];
  const requests = ids.map((userId) => asks(userId));
  expect(countOutcomes(engine.claimAll(requests, T0))).toEqual({ granted: 10 });
  expect(storedClaims(sql).map(({ user_id }) => user_id)).toEqual(ids);
});

test("a bulk claim answers its users in order, and once more with the same receipts", () => {
  const { engine, sql } = opened(3);
  engine.claimAll([asks("ann")], T0);
  const users = ["bob", "ann", "bob", "cid", "dan"];
  expect(engine.claimMany(users, "bulk", T0 + 1)).toMatchObject({
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
  const again = engine.claimMany(users, "bulk", T0 + 2);
  expect(again.ok && outcomes(again.results)).toEqual(["replayed", "already_claimed", "replayed", "replayed", "out_of_stock"]);
  expectConserved(sql, 3);
});

test.for([1, 20])("a bulk claim of a holder and %i others turns only the holder's hold into a claim", (count) => {
  const { engine, sql } = opened(2);
  engine.hold(holdOf("holder", 60_000), T0);
  engine.hold(holdOf("other", 60_000), T0);
  const users = ["late", "holder", ...Array.from({ length: count }, (_, index) => `later-${index}`)];
  const result = engine.claimMany(users, "bulk", T0 + 1);
  expect(result.ok && outcomes(result.results)).toEqual(["out_of_stock", "granted", ...Array<string>(count).fill("out_of_stock")]);
  expect(result).toMatchObject({ ok: true, remaining: 0, seq: 4 });
  expect([...expectConserved(sql, 1).holds.keys()]).toEqual(["other"]);
});

test("a read lists claimants in claim order where that is requested, and otherwise none", () => {
  const { engine } = opened(9);
  engine.claimAll([asks("zoe"), asks("ann"), asks("mia")], T0);
  engine.claimAll([asks("bob")], T0);
  expect(engine.read({ claimedBy: true }, T0)).toMatchObject({ seq: 5, coupon: { claimed: 4, claimedBy: ["zoe", "ann", "mia", "bob"] } });
  expect(JSON.stringify(engine.read({ claimedBy: false }, T0))).not.toContain("zoe");
});
