// The tables by themselves: what they refuse, whatever the code above them believes.

import { describe, expect, test } from "vitest";

import { asks, contents, opened, T0 } from "./coupon.ts";
import type { NodeSql } from "./node-sql.ts";

/** Three units, two of them claimed: ann's under the key `k`, and bob's. */
function half(): NodeSql {
  const { engine, sql } = opened(3);
  engine.claimAll([asks("ann", { key: "k" }), asks("bob")], T0);
  return sql;
}

/** Expects `statement` to be refused for `reason`, and to leave every row as it was. */
function expectRefused(statement: string, reason: RegExp): void {
  const sql = half();
  const before = contents(sql);
  expect(() => sql.database.exec(statement)).toThrow(reason);
  expect(contents(sql)).toEqual(before);
}

describe("an oversell is refused", () => {
  test.for([
    ["more claimed than there is", "UPDATE coupon SET claimed = 4, last_position = 4"],
    ["more held than there is", "UPDATE coupon SET held = 2"],
    ["claimed and held together", "UPDATE coupon SET claimed = 3, last_position = 3, held = 1"],
    ["an amount below what was given", "UPDATE coupon SET amount = 1"],
    ["step by step", "UPDATE coupon SET claimed = claimed + 2, last_position = last_position + 2"],
  ] as const)("%s", ([, statement]) => expectRefused(statement, /CHECK constraint failed: claimed >= 0 AND held >= 0/));

  test("but not the last unit", () => {
    const sql = half();
    sql.database.exec("UPDATE coupon SET claimed = 3, last_position = 3");
    expect(sql.all("SELECT claimed FROM coupon")).toEqual([{ claimed: 3 }]);
  });
});

describe("impossible counters are refused", () => {
  test.for([
    ["negative claimed", "UPDATE coupon SET claimed = -1"],
    ["negative held", "UPDATE coupon SET held = -1"],
    ["a position behind the claims", "UPDATE coupon SET last_position = 1"],
    ["an amount of nothing", "UPDATE coupon SET amount = 0, claimed = 0"],
    ["an amount beyond 32 bits", "UPDATE coupon SET amount = 2147483648"],
    ["half paused", "UPDATE coupon SET paused = 2"],
    ["less than nothing left", "UPDATE claims SET remaining_after = -1"],
  ] as const)("%s", ([, statement]) => expectRefused(statement, /CHECK constraint failed/));
});

describe("a database holds one coupon", () => {
  const copy = "SELECT * FROM coupon";
  test("a second row under another id is refused", () => {
    expectRefused(
      `CREATE TEMP TABLE twin AS ${copy}; UPDATE twin SET id = 2; INSERT INTO coupon SELECT * FROM twin`,
      /CHECK constraint failed: id = 1/,
    );
  });
  test("a second row under the same id is refused", () => {
    expectRefused(`INSERT INTO coupon ${copy}`, /UNIQUE constraint failed: coupon.id/);
  });
});

describe("a second claim is refused", () => {
  const columns = "(user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id)";
  test("of the same user", () => {
    expectRefused(`INSERT INTO claims ${columns} VALUES ('ann', 3, 0, 0, NULL, 'x')`, /UNIQUE constraint failed: claims.user_id/);
  });
  test("under the same idempotency key", () => {
    expectRefused(`INSERT INTO claims ${columns} VALUES ('cid', 3, 0, 0, 'k', 'x')`, /UNIQUE constraint failed: claims.idempotency_key/);
  });
  test("without a user", () => {
    expectRefused(`INSERT INTO claims ${columns} VALUES (NULL, 3, 0, 0, NULL, 'x')`, /NOT NULL constraint failed: claims.user_id/);
  });
  test("by renaming one into another", () => {
    expectRefused("UPDATE claims SET user_id = 'ann' WHERE user_id = 'bob'", /UNIQUE constraint failed: claims.user_id/);
  });
});

describe("a second hold, or one that makes no sense, is refused", () => {
  const columns = "(user_id, held_at, expires_at, attempt_id)";
  const first = `INSERT INTO holds ${columns} VALUES ('cid', 0, 10, 'x')`;
  test("of the same user", () => {
    const sql = half();
    sql.database.exec(first);
    expect(() => sql.database.exec(first)).toThrow(/UNIQUE constraint failed: holds.user_id/);
  });
  test("without a user", () => {
    expectRefused(`INSERT INTO holds ${columns} VALUES (NULL, 0, 10, 'x')`, /NOT NULL constraint failed: holds.user_id/);
  });
  test("that is over before it begins", () => {
    expectRefused(`INSERT INTO holds ${columns} VALUES ('cid', 10, 10, 'x')`, /CHECK constraint failed: expires_at > held_at/);
  });
  test("without an end", () => {
    expectRefused(`INSERT INTO holds ${columns} VALUES ('cid', 10, NULL, 'x')`, /NOT NULL constraint failed: holds.expires_at/);
  });
});

test("the same claim is not released twice", () => {
  const sql = half();
  const release = `INSERT INTO releases (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, released_at)
                   SELECT user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, 1 FROM claims WHERE user_id = 'ann'`;
  sql.database.exec(release);
  expect(() => sql.database.exec(release)).toThrow(/UNIQUE constraint failed: releases.user_id, releases.position/);
});

describe("the ledger keeps what happened", () => {
  const columns = "(seq, at, kind, user_id, position, data)";
  test("a fork, two events of one seq, is refused", () => {
    expectRefused(`INSERT INTO ledger ${columns} VALUES (2, 0, 'claimed', 'eve', 1, NULL)`, /UNIQUE constraint failed: ledger.seq/);
  });
  test("an unknown kind of event is refused", () => {
    expectRefused(`INSERT INTO ledger ${columns} VALUES (4, 0, 'nonsense', NULL, NULL, NULL)`, /CHECK constraint failed: kind/);
  });
  test.for([
    "UPDATE ledger SET user_id = 'eve' WHERE seq = 2",
    "UPDATE ledger SET seq = 9 WHERE seq = 3",
    "DELETE FROM ledger WHERE seq = 3",
    "DELETE FROM ledger",
  ])("%s is refused", (statement) => expectRefused(statement, /the ledger is append-only/));
});

describe("a value of the wrong type is refused", () => {
  test.for([
    ["UPDATE coupon SET amount = 'many'", /cannot store TEXT value in INTEGER column coupon.amount/],
    ["UPDATE coupon SET clock_at = 1.5", /cannot store REAL value in INTEGER column coupon.clock_at/],
    ["UPDATE coupon SET name = x'00'", /cannot store BLOB value in TEXT column coupon.name/],
    ["UPDATE claims SET position = 'first'", /cannot store TEXT value in INTEGER column claims.position/],
    ["UPDATE claims SET claimed_at = 0.5", /cannot store REAL value in INTEGER column claims.claimed_at/],
    ["UPDATE claims SET user_id = x'ff' WHERE user_id = 'ann'", /cannot store BLOB value in TEXT column claims.user_id/],
    ["INSERT INTO ledger (seq, at, kind) VALUES (4, 'now', 'claimed')", /cannot store TEXT value in INTEGER column ledger.at/],
    ["UPDATE claims SET attempt_id = NULL", /NOT NULL constraint failed: claims.attempt_id/],
  ] as const)("%s", ([statement, reason]) => expectRefused(statement, reason));

  test("every table is STRICT", () => {
    const sql = half();
    expect(sql.all("SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0")).toEqual([]);
    const tables = ["claims", "coupon", "holds", "ledger", "released_holds", "releases"];
    expect(sql.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).toEqual(tables.map((name) => ({ name })));
  });
});
