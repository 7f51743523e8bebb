// Memory and storage disagree: the engine throws before it answers wrongly, and writes nothing.

import { expect, test } from "vitest";

import { BrokenAssertion } from "../../src/domain/assert.ts";
import { asks, contents, EngineCalls, expectConserved, manyClaims, newCoupon, opened, outcomes, T0, type Opened } from "./coupon.ts";

/** Ten units, three of them claimed, and an engine that has them in memory. */
function warm(): Opened {
  const coupon = opened(10);
  coupon.engine.claimAll(manyClaims(3), T0);
  return coupon;
}

/** Expects that `work` breaks the assertion `fact` and leaves every row as it was. */
function expectBroken({ sql }: Opened, work: () => unknown, fact: RegExp): void {
  const before = contents(sql);
  expect(work).toThrow(BrokenAssertion);
  expect(work).toThrow(fact);
  expect(contents(sql)).toEqual(before);
}

test.for([
  ["other claimed units", "UPDATE coupon SET claimed = claimed - 1", /units claimed are equal/],
  ["other held units", "UPDATE coupon SET held = held + 1", /units held are equal/],
  ["another last position", "UPDATE coupon SET last_position = last_position + 1", /last positions are equal/],
  ["another ledger head", "UPDATE coupon SET seq = seq + 1", /ledger heads are equal/],
  ["no coupon row", "DELETE FROM coupon", /there is a coupon row/],
] as const)("a warm engine whose storage has %s grants no claim", ([, statement, fact]) => {
  const coupon = warm();
  coupon.sql.database.exec(statement);
  expectBroken(coupon, () => coupon.engine.claimAll([asks("late")], T0), fact);
});

test("a warm engine whose stored amount was lowered grants no claim, and after a reload gets out_of_stock", () => {
  const { engine, sql } = warm();
  sql.database.exec("UPDATE coupon SET amount = 3");
  const before = contents(sql);
  expect(() => engine.claimAll([asks("late")], T0)).toThrow(/CHECK constraint failed/);
  expect(contents(sql)).toEqual(before);
  engine.reload();
  expect(outcomes(engine.claimAll([asks("late")], T0))).toEqual(["out_of_stock"]);
});

test.for([
  ["a ledger beyond the coupon's head", "INSERT INTO ledger (seq, at, kind) VALUES (5, 0, 'claimed')", /ledger ends where the coupon says/],
  ["a ledger behind the coupon's head", "UPDATE coupon SET seq = seq + 1", /ledger ends where the coupon says/],
  ["another last position than the ledger", "UPDATE coupon SET last_position = last_position + 1", /granted last what the coupon says/],
  ["an unknown older schema", "UPDATE coupon SET schema_version = 0", /there is a way from every older version/],
  ["a held unit without a hold", "UPDATE coupon SET held = 1", /units are held exactly while there are holds/],
  ["a hold without a held unit", "INSERT INTO holds VALUES ('eve', 0, 1, 'x')", /units are held exactly while there are holds/],
  ["no coupon row", "DELETE FROM coupon", /there is a coupon row/],
] as const)("a cold engine refuses to read, claim and create over %s", ([, statement, fact]) => {
  const coupon = warm();
  coupon.sql.database.exec(statement);
  expectBroken(coupon, () => new EngineCalls(coupon.sql).read({ claimedBy: false }, T0), fact);
  expectBroken(coupon, () => new EngineCalls(coupon.sql).claimAll([asks("late")], T0), fact);
  expectBroken(coupon, () => new EngineCalls(coupon.sql).create(newCoupon(1), "epoch-2", T0), fact);
});

test.for([
  ["a missing claim", "DELETE FROM claims WHERE user_id = 'user-2'"],
  ["a claim at another position", "UPDATE claims SET position = 9 WHERE user_id = 'user-2'"],
  ["a claim of another user", "UPDATE claims SET user_id = 'eve' WHERE user_id = 'user-2'"],
] as const)("a read with claimants fails over %s", ([, statement]) => {
  const coupon = warm();
  coupon.sql.database.exec(statement);
  expectBroken(coupon, () => coupon.engine.read({ claimedBy: true }, T0), /as many claimants as units claimed/);
});

test("an engine behind a second writer of its database neither grants nor reads until it reloads", () => {
  const first = warm();
  new EngineCalls(first.sql).claimAll([asks("other")], T0);
  const before = contents(first.sql);
  expect(() => first.engine.claimAll([asks("late")], T0)).toThrow(/UNIQUE constraint failed: ledger.seq/);
  expect(contents(first.sql)).toEqual(before);
  expectBroken(first, () => first.engine.read({ claimedBy: false }, T0), /ledger heads are equal/);

  first.engine.reload();
  expect(first.engine.claimAll([asks("late")], T0)).toMatchObject([{ ok: true, claim: { position: 5 }, seq: 6 }]);
  expectConserved(first.sql, 5);
});
