// Holds: late duplicates of a released hold, the limits of a coupon, the operator's list, and the release of all holds.

import { expect, test, vi } from "vitest";

import { asks, EngineCalls, expectConserved, holdOf, newCoupon, NO_LEASE, opened, outcomes, T0 } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";
import { objectInNode } from "./object-in-node.ts";
import { useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

const RELEASED = { ok: false, code: "hold_released", seq: 3 };

test.for([
  ["the same engine", false],
  ["a restarted engine", true],
] as const)("a late duplicate of a released hold's request is refused by %s", ([, isCold]) => {
  const { engine, sql } = opened(2);
  engine.hold(holdOf("ann", 60_000, "first"), T0);
  engine.releaseHold("ann", T0 + 1);
  const next = isCold ? new EngineCalls(sql) : engine;
  expect(next.hold(holdOf("ann", 60_000, "first"), T0 + 2)).toEqual(RELEASED);
  expect(sql.all("SELECT * FROM released_holds")).toEqual([{ user_id: "ann", attempt_id: "first", released_at: T0 + 1 }]);
  expect(next.hold(holdOf("bob", 60_000, "first"), T0 + 2)).toMatchObject({ ok: true, isNew: true });
  expect(next.hold(holdOf("ann", 60_000, "second"), T0 + 2)).toMatchObject({ ok: true, isNew: true, remaining: 0 });
});

test("a duplicate of a hold's request is refused in the batch that releases the hold", () => {
  const { engine, sql } = opened(2);
  const hold = { kind: "hold", request: holdOf("ann", 60_000, "first") } as const;
  const answers = engine.batch<"hold" | "release_hold">([hold, { kind: "release_hold", userId: "ann" }, hold], T0);
  expect(answers).toMatchObject([{ ok: true, isNew: true }, { ok: true, seq: 3 }, RELEASED]);
  expect(sql.all("SELECT user_id FROM released_holds")).toEqual([{ user_id: "ann" }]);
  expectConserved(sql, 0);
});

test("after a released hold the same request may claim, and a closed sale refuses it first", () => {
  const { engine } = opened(1);
  engine.hold(holdOf("ann", 60_000, "first"), T0);
  engine.releaseHold("ann", T0);
  expect(outcomes(engine.claimAll([asks("bob", { attemptId: "first" })], T0))).toEqual(["granted"]);
  expect(engine.hold(holdOf("ann", 60_000, "first"), T0)).toMatchObject({ ok: false, code: "out_of_stock" });
  engine.revoke({ userId: "bob", position: null }, T0);
  expect(outcomes(engine.claimAll([asks("ann", { attemptId: "first" })], T0))).toEqual(["granted"]);
});

test("holds that begin and end within one batch end at their own instants", () => {
  const { engine, sql } = opened(2);
  const holds = [holdOf("ann", 10), holdOf("bob", 11)].map((request) => ({ message: { kind: "hold", request } as const, at: T0 }));
  const claims = ([9, 10, 10, 11] as const).map((afterMs, index) => {
    return { message: { kind: "claim", request: asks(`user-${index}`) } as const, at: T0 + afterMs };
  });
  const { answers } = engine.engine.apply([...holds, ...claims], NO_LEASE);
  expect(answers.slice(2)).toMatchObject([{ code: "out_of_stock" }, { ok: true }, { code: "out_of_stock" }, { ok: true }]);
  expect(sql.all("SELECT at - ? AS afterMs, kind, user_id FROM ledger WHERE seq > 3 ORDER BY seq", T0)).toEqual([
    { afterMs: 10, kind: "expired", user_id: "ann" },
    { afterMs: 10, kind: "claimed", user_id: "user-1" },
    { afterMs: 11, kind: "expired", user_id: "bob" },
    { afterMs: 11, kind: "claimed", user_id: "user-3" },
  ]);
  expectConserved(sql, 2);
});

test("a hold longer than hold_seconds_max is refused with that limit, and after the state of the sale", () => {
  const { engine } = opened(2, { holdSecondsMax: 60 });
  expect(engine.hold(holdOf("ann", 60_001), T0)).toEqual({ ok: false, code: "hold_too_long", ttlSecondsMax: 60, seq: 1 });
  expect(engine.hold(holdOf("ann", 60_000), T0)).toMatchObject({ ok: true, isNew: true });
  engine.claimAll([asks("bob")], T0);
  expect(engine.hold(holdOf("cid", 60_001), T0)).toEqual({ ok: false, code: "out_of_stock", seq: 3 });
});

test("holds_max is enforced within a batch, and a repeated hold does not count", () => {
  const { engine } = opened(9, { holdsMax: 2 });
  const messages = ["ann", "bob", "cid", "ann"].map((user) => ({ kind: "hold", request: holdOf(user, 1_000) }) as const);
  expect(engine.batch(messages, T0)).toMatchObject([
    { ok: true, isNew: true, remaining: 8 },
    { ok: true, isNew: true, remaining: 7 },
    { ok: false, code: "hold_limit_reached", seq: 3 },
    { ok: true, remaining: 7 },
  ]);
});

test("the list of holds has pages in user order, without expired holds", () => {
  const { engine } = opened(9);
  for (const user of ["dan", "ann", "eve", "bob", "cid"]) engine.hold(holdOf(user, user === "bob" ? 1_000 : 60_000), T0);
  const at = T0 + 1_000;
  const holds = ["ann", "cid"].map((userId) => ({ userId, heldAt: T0, expiresAt: T0 + 60_000, attemptId: `hold-${userId}` }));
  expect(engine.listHolds("", 2, at)).toEqual({ ok: true, holds, next: "cid", seq: 7 });
  expect(engine.listHolds("cid", 2, at)).toMatchObject({ holds: [{ userId: "dan" }, { userId: "eve" }], next: null });
  expect(engine.listHolds("eve", 2, at)).toEqual({ ok: true, holds: [], next: null, seq: 7 });
  expect(engine.listHolds("", 4, at)).toMatchObject({ next: null });
});

/** A coupon with 2,500 running holds, one expired hold, and 499 units left. It is T0 + 1. */
function manyHolds() {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  engine.create(newCoupon(3_000), "epoch-1", T0);
  const messages = Array.from({ length: 2_500 }, (_, index) => ({ kind: "hold", request: holdOf(`u${index}`, 60_000) }) as const);
  engine.batch(messages, T0);
  engine.hold(holdOf("gone", 1), T0);
  vi.setSystemTime(T0 + 1);
  return { sql, engine };
}

test("the release of 2,500 holds takes a message for each 1,000", () => {
  const { sql, engine } = manyHolds();
  const answers = [1, 2, 3, 4].map(() => engine.releaseAllHolds(T0 + 1));
  expect(answers).toMatchObject([
    { count: 1_000, remaining: 1_500 },
    { count: 1_000, remaining: 2_500 },
    { count: 500, remaining: 3_000 },
    { count: 0, remaining: 3_000 },
  ]);
  expect(sql.all("SELECT count(*) AS count FROM ledger WHERE kind = 'given_back'")).toEqual([{ count: 2_500 }]);
  expectConserved(sql, 0);
});

test("other messages are judged between the messages of one release of all holds", async () => {
  const { sql } = manyHolds();
  const { object } = await objectInNode(sql);
  const release = object.releaseAllHolds();
  const claims = [object.claim(asks("u2499")), object.claim(asks("late"))];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await release).toMatchObject({ ok: true, count: 2_499 });
  expect(await Promise.all(claims)).toMatchObject([{ ok: true }, { ok: true }]);
  expect(await object.read({ claimedBy: false })).toMatchObject({ coupon: { held: 0, claimed: 2 } });
  expect(await object.hold(holdOf("u7", 1_000))).toMatchObject({ ok: false, code: "hold_released" });
});

test.for([
  [1_000, "Error: only 1000 holds were ended: unavailable"],
  [0, "unavailable"],
] as const)("a release of all holds whose storage fails after %i holds ends as %s", async ([count, outcome]) => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const { sql } = manyHolds();
  sql.database.exec(
    `CREATE TEMP TRIGGER broken BEFORE INSERT ON released_holds WHEN (SELECT count(*) FROM released_holds) >= ${count}
     BEGIN SELECT RAISE(ABORT, 'injected'); END`,
  );
  const { object } = await objectInNode(sql);
  const ended = object.releaseAllHolds().then((answer) => (answer.ok ? "ok" : answer.code), String);
  expect(await ended).toBe(outcome);
  expect(await object.read({ claimedBy: false })).toMatchObject({ coupon: { held: 2_500 - count } });
});
