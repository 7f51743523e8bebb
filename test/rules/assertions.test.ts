// Memory and storage disagree: the engine stops before it can answer wrongly, and writes nothing.

import { describe, expect, test } from "vitest";

import { BrokenAssertion } from "../../src/domain/assert.ts";
import { asks, contents, crowd, EngineCalls, expectConserved, newCoupon, opened, outcomes, T0, tally, type Opened } from "./coupon.ts";

/** Ten units, three of them claimed, and an engine that knows so. */
function warm(): Opened {
  const coupon = opened(10);
  coupon.engine.claimAll(crowd(3), T0);
  return coupon;
}

/** Expects `work` to break the fact `fact` and to leave every row as it was. */
function expectBroken({ sql }: Opened, work: () => unknown, fact: RegExp): void {
  const before = contents(sql);
  expect(work).toThrow(BrokenAssertion);
  expect(work).toThrow(fact);
  expect(contents(sql)).toEqual(before);
}

describe("counters that were changed behind a warm engine's back stop its next grant", () => {
  test.for([
    ["claimed", "UPDATE coupon SET claimed = claimed - 1", /units claimed are equal/],
    ["held", "UPDATE coupon SET held = held + 1", /units held are equal/],
    ["the last position", "UPDATE coupon SET last_position = last_position + 1", /last positions are equal/],
    ["the head", "UPDATE coupon SET seq = seq + 1", /ledger heads are equal/],
    ["the whole row", "DELETE FROM coupon", /there is a coupon row/],
  ] as const)("%s", ([, statement, fact]) => {
    const coupon = warm();
    coupon.sql.database.exec(statement);
    expectBroken(coupon, () => coupon.engine.claimAll([asks("late")], T0), fact);
  });

  test("an amount that was lowered is refused by the table itself, not oversold", () => {
    const { engine, sql } = warm();
    sql.database.exec("UPDATE coupon SET amount = 3");
    const before = contents(sql);
    expect(() => engine.claimAll([asks("late")], T0)).toThrow(/CHECK constraint failed/);
    expect(contents(sql)).toEqual(before);
    engine.reload();
    expect(outcomes(engine.claimAll([asks("late")], T0))).toEqual(["out_of_stock"]);
  });
});

describe("a cold engine does not start on", () => {
  test.for([
    [
      "a ledger that ends after the coupon's head",
      "INSERT INTO ledger (seq, at, kind) VALUES (5, 0, 'claimed')",
      /ledger ends where the coupon says/,
    ],
    ["a ledger that ends before it", "UPDATE coupon SET seq = seq + 1", /ledger ends where the coupon says/],
    ["another last position than the ledger's", "UPDATE coupon SET last_position = last_position + 1", /granted last what the coupon says/],
    ["a schema older than any", "UPDATE coupon SET schema_version = 0", /there is a way from every older version/],
    ["a held unit without a hold", "UPDATE coupon SET held = 1", /units are held exactly while there are holds/],
    ["a hold of no unit", "INSERT INTO holds VALUES ('eve', 0, 1, 'x')", /units are held exactly while there are holds/],
    ["tables without a coupon", "DELETE FROM coupon", /there is a coupon row/],
  ] as const)("%s", ([, statement, fact]) => {
    const coupon = warm();
    coupon.sql.database.exec(statement);
    expectBroken(coupon, () => new EngineCalls(coupon.sql).read({ claimedBy: false }, T0), fact);
    expectBroken(coupon, () => new EngineCalls(coupon.sql).claimAll([asks("late")], T0), fact);
    expectBroken(coupon, () => new EngineCalls(coupon.sql).create(newCoupon(1), "epoch-2", T0), fact);
  });
});

describe("the list of claimants", () => {
  test.for([
    ["a claim that is gone", "DELETE FROM claims WHERE user_id = 'user-2'"],
    ["a claim that the ledger does not know", "UPDATE claims SET position = 9 WHERE user_id = 'user-2'"],
    ["a claim that is someone else's", "UPDATE claims SET user_id = 'eve' WHERE user_id = 'user-2'"],
  ] as const)("is not answered with %s", ([, statement]) => {
    const coupon = warm();
    coupon.sql.database.exec(statement);
    expectBroken(coupon, () => coupon.engine.read({ claimedBy: true }, T0), /as many claimants as units claimed/);
  });
});

describe("a second writer on the same database", () => {
  test("stops the first one's grants and reads until it reloads", () => {
    const first = warm();
    const second = new EngineCalls(first.sql);
    second.claimAll([asks("other")], T0);

    const before = contents(first.sql);
    expect(() => first.engine.claimAll([asks("late")], T0)).toThrow(/UNIQUE constraint failed: ledger.seq/);
    expect(contents(first.sql)).toEqual(before);
    expectBroken(first, () => first.engine.read({ claimedBy: false }, T0), /ledger heads are equal/);

    first.engine.reload();
    expect(first.engine.claimAll([asks("late")], T0)).toMatchObject([{ ok: true, claim: { position: 5 }, seq: 6 }]);
    expectConserved(first.sql, 5);
  });

  test("and the first never sell more than there is, whatever they believe in between", () => {
    const { engine: first, sql } = opened(20);
    const writers = [first, new EngineCalls(sql)];
    let grantedCount = 0;
    for (let round = 0; round < 40; round += 1) {
      // Each writer's memory is one step behind every time: it fails, looks again, and goes on.
      const writer = writers[round % 2] ?? first;
      const batch = crowd(1, `round-${round}`);
      const stale = attempted(writer, batch);
      const results = stale ?? writer.claimAll(batch, T0);
      grantedCount += tally(results)["granted"] ?? 0;
    }
    expect(grantedCount).toBe(20);
    expectConserved(sql, 20);
  });
});

/** The batch's answers, or null where the writer's memory was behind; it has looked again then. */
function attempted(writer: EngineCalls, batch: ReturnType<typeof crowd>) {
  try {
    return writer.claimAll(batch, T0);
  } catch {
    writer.reload();
    return null;
  }
}
