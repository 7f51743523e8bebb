// The tables refuse impossible rows, whatever the code above them does.

import { expect, test } from "vitest";

import { asks, opened, T0 } from "./coupon.ts";
import type { NodeSql } from "./node-sql.ts";

/** Three units: ann's with the key `k`, bob's, and one that is held by cid. */
function stored(): NodeSql {
  const { engine, sql } = opened(4);
  engine.claimAll([asks("ann", { key: "k" }), asks("bob")], T0);
  engine.hold({ userId: "cid", ttlMs: 10, attemptId: "x" }, T0);
  return sql;
}

const ARCHIVE = "UPDATE coupon SET archived_at = 1, held = 0";
const ARCHIVED = /an archived coupon sells nothing/;
const COUNTERS = /CHECK constraint failed: claimed >= 0 AND held >= 0/;
const CLAIM = "INSERT INTO claims (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id) VALUES";
const HOLD = "INSERT INTO holds (user_id, held_at, expires_at, attempt_id) VALUES";
const EVENT = "INSERT INTO ledger (seq, at, kind, user_id, position, data) VALUES";
const PSEUDONYM = "UPDATE ledger SET user_id = 'erased:a'";
const RELEASE = `INSERT INTO releases (user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, released_at)
                 SELECT user_id, position, claimed_at, remaining_after, idempotency_key, attempt_id, 1 FROM claims WHERE user_id = 'ann'`;

test.for([
  ["more claimed units than the amount", "UPDATE coupon SET claimed = 5, held = 0, last_position = 5", COUNTERS],
  ["more held units than the amount", "UPDATE coupon SET held = 3", COUNTERS],
  ["claimed and held units above the amount", "UPDATE coupon SET claimed = 4, last_position = 4", COUNTERS],
  ["an amount below the given units", "UPDATE coupon SET amount = 2", COUNTERS],
  ["a negative number of claimed units", "UPDATE coupon SET claimed = -1", COUNTERS],
  ["a negative number of held units", "UPDATE coupon SET held = -1", COUNTERS],
  ["a last position below the claimed units", "UPDATE coupon SET last_position = 1", /CHECK constraint failed: last_position/],
  ["an amount of 0", "UPDATE coupon SET amount = 0, claimed = 0, held = 0", /CHECK constraint failed: amount/],
  ["an amount beyond 32 bits", "UPDATE coupon SET amount = 2147483648", /CHECK constraint failed: amount/],
  ["paused that is neither 0 nor 1", "UPDATE coupon SET paused = 2", /CHECK constraint failed: paused/],
  ["another instant of the archive", `${ARCHIVE}; UPDATE coupon SET archived_at = 2`, ARCHIVED],
  ["the end of an archive", `${ARCHIVE}; UPDATE coupon SET archived_at = NULL`, ARCHIVED],
  ["a claim after the archive", `${ARCHIVE}; UPDATE coupon SET claimed = 3, last_position = 3`, ARCHIVED],
  ["a hold after the archive", `${ARCHIVE}; UPDATE coupon SET held = 1`, ARCHIVED],
  ["a negative remainder", "UPDATE claims SET remaining_after = -1", /CHECK constraint failed: remaining_after/],
  [
    "a second coupon with another id",
    "CREATE TEMP TABLE twin AS SELECT * FROM coupon; UPDATE twin SET id = 2; INSERT INTO coupon SELECT * FROM twin",
    /CHECK constraint failed: id = 1/,
  ],
  ["a second coupon with the same id", "INSERT INTO coupon SELECT * FROM coupon", /UNIQUE constraint failed: coupon.id/],
  ["a second claim of a user", `${CLAIM} ('ann', 3, 0, 0, NULL, 'x')`, /UNIQUE constraint failed: claims.user_id/],
  ["a second claim with a key", `${CLAIM} ('eve', 3, 0, 0, 'k', 'x')`, /UNIQUE constraint failed: claims.idempotency_key/],
  ["a claim without a user", `${CLAIM} (NULL, 3, 0, 0, NULL, 'x')`, /NOT NULL constraint failed: claims.user_id/],
  ["a claim without an attempt", `${CLAIM} ('eve', 3, 0, 0, NULL, NULL)`, /NOT NULL constraint failed: claims.attempt_id/],
  ["a second hold of a user", `${HOLD} ('cid', 0, 10, 'x')`, /UNIQUE constraint failed: holds.user_id/],
  ["a hold without a user", `${HOLD} (NULL, 0, 10, 'x')`, /NOT NULL constraint failed: holds.user_id/],
  ["a hold that ends when it begins", `${HOLD} ('eve', 10, 10, 'x')`, /CHECK constraint failed: expires_at > held_at/],
  ["a hold without an end", `${HOLD} ('eve', 10, NULL, 'x')`, /NOT NULL constraint failed: holds.expires_at/],
  ["a second revocation of one claim", `${RELEASE}; ${RELEASE}`, /UNIQUE constraint failed: releases.user_id, releases.position/],
  ["a second event with the same seq", `${EVENT} (2, 0, 'claimed', 'eve', 1, NULL)`, /UNIQUE constraint failed: ledger.seq/],
  ["an event of an unknown kind", `${EVENT} (9, 0, 'nonsense', NULL, NULL, NULL)`, /CHECK constraint failed: kind/],
  ["a pseudonym for another", `${PSEUDONYM} WHERE seq = 2; ${PSEUDONYM} || 'b' WHERE seq = 2`, /the ledger is append-only/],
  ["a pseudonym for no user", `${PSEUDONYM} WHERE seq = 1`, /the ledger is append-only/],
  ["a pseudonym with another position", `${PSEUDONYM}, position = 9 WHERE seq = 2`, /the ledger is append-only/],
  ["a pseudonym with another instant", `${PSEUDONYM}, at = 9 WHERE seq = 2`, /the ledger is append-only/],
  ["the removal of a user", "UPDATE ledger SET user_id = NULL WHERE seq = 2", /the ledger is append-only/],
  ["a change of an event", "UPDATE ledger SET user_id = 'eve' WHERE seq = 2", /the ledger is append-only/],
  ["the deletion of the last event", "DELETE FROM ledger WHERE seq = 4", /the ledger is append-only/],
] as const)("the tables refuse %s", ([, statement, reason]) => {
  expect(() => stored().database.exec(statement)).toThrow(reason);
});

test("the tables accept a pseudonym in the place of a user", () => {
  const sql = stored();
  sql.database.exec(`${PSEUDONYM} WHERE seq = 2`);
  expect(sql.all("SELECT user_id FROM ledger ORDER BY seq LIMIT 2")).toEqual([{ user_id: null }, { user_id: "erased:a" }]);
});

test("the tables accept the last unit", () => {
  const sql = stored();
  sql.database.exec("UPDATE coupon SET claimed = 3, last_position = 3");
  expect(sql.all("SELECT amount - claimed - held AS remaining FROM coupon")).toEqual([{ remaining: 0 }]);
});

test("every table is STRICT, so no column accepts a value of another type", () => {
  const sql = stored();
  const tables = ["claims", "coupon", "holds", "ledger", "released_holds", "releases"].map((name) => ({ name }));
  const list = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 1 ORDER BY name";
  expect(sql.all(list)).toEqual(tables);
  expect(sql.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).toEqual(tables);
  expect(() => sql.database.exec("UPDATE coupon SET amount = 'many'")).toThrow(/cannot store TEXT value in INTEGER column coupon.amount/);
});
