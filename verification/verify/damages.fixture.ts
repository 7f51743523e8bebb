// Damages to the claims, the counters and the row of the busy coupon, as raw SQL, and the checks that have to find each.

import type { Check } from "./verify.ts";

export type Damage = {
  readonly damage: string;
  readonly sql: readonly string[];
  /** The numbers of the checks that fail, and of no others. */
  readonly failed: readonly Check["number"][];
  /** Part of what is said about it. */
  readonly said: string;
};

/** Makes a table take what its constraints refuse: the same rows, without a key, a check or a trigger. */
export function unguarded(table: string): string[] {
  return [`CREATE TABLE bare AS SELECT * FROM ${table}`, `DROP TABLE ${table}`, `ALTER TABLE bare RENAME TO ${table}`];
}

export const CLAIM = "INSERT INTO claims (user_id, position, claimed_at, remaining_after, attempt_id) VALUES";
const EVENT = "INSERT INTO ledger (seq, at, kind, user_id, position) VALUES";

export const DAMAGES: readonly Damage[] = [
  { damage: "an extra claim", sql: [`${CLAIM} ('x', 8, 1700000003006, 0, 'x')`], failed: [3, 5, 7], said: "7 users, 7 claims, counter 6" },
  {
    damage: "more claims than there are units",
    sql: [`${CLAIM} ('x', 8, 1700000003006, 0, 'x'), ('y', 9, 1700000003006, 0, 'y')`],
    failed: [1, 3, 5, 6, 7],
    said: "8 claims + 1 hold > 8",
  },
  {
    damage: "an oversell that all tables agree on",
    sql: [
      ...unguarded("coupon"),
      `${CLAIM} ('x', 8, 1700000003006, 0, 'x'), ('y', 9, 1700000003006, -1, 'y')`,
      `${EVENT} (18, 1700000003006, 'claimed', 'x', 8), (19, 1700000003006, 'claimed', 'y', 9)`,
      "UPDATE coupon SET claimed = 8, last_position = 9, seq = 19",
    ],
    failed: [1, 6, 7],
    said: 'event 19 (claimed "y") comes when nothing is left and leaves -1 units',
  },
  {
    damage: "a user with two claims",
    sql: [...unguarded("claims"), `${CLAIM} ('u1', 8, 1700000003006, 0, 'x')`],
    failed: [2, 3, 5, 7],
    said: '"u1" has two claims',
  },
  {
    damage: "a user with two claims that all tables agree on",
    sql: [
      ...unguarded("claims"),
      `${CLAIM} ('u1', 8, 1700000003006, 0, 'x')`,
      `${EVENT} (18, 1700000003006, 'claimed', 'u1', 8)`,
      "UPDATE coupon SET claimed = 7, last_position = 8, seq = 18",
    ],
    failed: [2, 3, 7],
    said: 'event 18 (claimed "u1") has a claim already',
  },
  {
    damage: "a claim twice",
    sql: [...unguarded("claims"), "INSERT INTO claims SELECT * FROM claims WHERE user_id = 'u2'"],
    failed: [2, 3, 5, 7],
    said: "position 2 was given twice",
  },
  {
    damage: "two claims under one key",
    sql: [...unguarded("claims"), "UPDATE claims SET idempotency_key = 'key-1' WHERE user_id = 'u2'"],
    failed: [2],
    said: 'two claims have the key "key-1"',
  },
  { damage: "a lowered counter", sql: ["UPDATE coupon SET claimed = 5"], failed: [3, 5, 7], said: "6 users, 6 claims, counter 5" },
  { damage: "a raised counter", sql: ["UPDATE coupon SET claimed = 7"], failed: [3, 5, 7], said: "claimed is 7, and 6 by the ledger" },
  {
    damage: "negative stock",
    sql: [...unguarded("coupon"), "UPDATE coupon SET amount = 5"],
    failed: [1, 6, 7],
    said: "remaining by the counters: -2",
  },
  { damage: "a negative counter", sql: [...unguarded("coupon"), "UPDATE coupon SET held = -1"], failed: [5, 6, 7], said: "held: -1" },
  {
    damage: "a counter that is no number",
    sql: [...unguarded("coupon"), "UPDATE coupon SET claimed = 'six'"],
    failed: [3, 5, 6, 7],
    said: "counter six",
  },
  { damage: "a wrong amount", sql: ["UPDATE coupon SET amount = 9"], failed: [7], said: "the amount is 9, and 8 by the ledger" },
  {
    damage: "another window",
    sql: ["UPDATE coupon SET ends_at = ends_at + 1"],
    failed: [7],
    said: "the end of the sale is 1700000800001, and 1700000800000 by the ledger",
  },
  { damage: "a pause that nobody ordered", sql: ["UPDATE coupon SET paused = 1"], failed: [7], said: "paused is 1, and 0 by the ledger" },
  {
    damage: "a position that was never granted",
    sql: ["UPDATE coupon SET last_position = 8"],
    failed: [7],
    said: "the last position is 8, and 7 by the ledger",
  },
  {
    damage: "a lost claim that all tables forgot",
    sql: [
      ...unguarded("ledger"),
      "DELETE FROM claims WHERE user_id = 'u4'",
      "DELETE FROM ledger WHERE seq = 16",
      "UPDATE ledger SET seq = 16 WHERE seq = 17",
      "UPDATE coupon SET claimed = 5, last_position = 6, seq = 16",
    ],
    failed: [8],
    said: '"u4" at position 7 at 2023-11-14T22:13:23.005Z, told, but nothing of this user is stored',
  },
  {
    damage: "a claim that went to somebody else",
    sql: [
      ...unguarded("ledger"),
      "UPDATE claims SET user_id = 'thief' WHERE user_id = 'u2'",
      "UPDATE ledger SET user_id = 'thief' WHERE user_id = 'u2'",
    ],
    failed: [8],
    said: '"u2" at position 2 at 2023-11-14T22:13:21.000Z, told, but nothing of this user is stored',
  },
  {
    damage: "two claims that changed places",
    sql: [
      ...unguarded("ledger"),
      "UPDATE claims SET position = 3 - position, remaining_after = 7 - remaining_after WHERE user_id IN ('u1', 'u2')",
      "UPDATE ledger SET user_id = iif(user_id = 'u1', 'u2', 'u1') WHERE seq IN (2, 3)",
    ],
    failed: [8],
    said: '"u1" at position 1 at 2023-11-14T22:13:21.000Z, told, but "u1" at position 2 at 2023-11-14T22:13:21.000Z is stored',
  },
  {
    damage: "a changed instant",
    sql: ["UPDATE claims SET claimed_at = claimed_at + 1 WHERE user_id = 'u5'"],
    failed: [7, 8],
    said: "at position 5 at 2023-11-14T22:13:23.001Z is stored",
  },
  {
    damage: "a changed receipt",
    sql: ["UPDATE claims SET remaining_after = remaining_after + 1 WHERE user_id = 'u5'"],
    failed: [7],
    said: 'the claim of "u5" at position 5, 2023-11-14T22:13:23.000Z, 1 left is not in the ledger',
  },
  {
    damage: "two claims at one position",
    sql: ["UPDATE claims SET position = 1 WHERE user_id = 'u2'"],
    failed: [2, 7, 8],
    said: "position 1 was given twice",
  },
  {
    damage: "a coupon's row twice",
    sql: [...unguarded("coupon"), "INSERT INTO coupon SELECT * FROM coupon"],
    failed: [1, 3, 5, 6, 7],
    said: "the table coupon has 2 rows",
  },
  { damage: "no row of the coupon", sql: ["DELETE FROM coupon"], failed: [1, 3, 5, 6, 7], said: "the table coupon has 0 rows" },
  {
    damage: "a coupon without a name",
    sql: [...unguarded("coupon"), "UPDATE coupon SET name = x'07'"],
    failed: [1, 3, 5, 6, 7],
    said: "the file can't be read: the coupon has no name",
  },
  {
    damage: "no table of claims",
    sql: ["DROP TABLE claims"],
    failed: [1, 2, 3, 5, 6, 7, 8],
    said: "the file can't be read: no such table: claims",
  },
  {
    damage: "a number that is too large",
    sql: ["UPDATE claims SET claimed_at = 9223372036854775807 WHERE user_id = 'u1'"],
    failed: [1, 2, 3, 5, 6, 7, 8],
    said: "the file can't be read: ",
  },
];
