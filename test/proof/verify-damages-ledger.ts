// Damages to the ledger, the holds and the releases of the busy coupon, and the checks that have to find each.

import { CLAIM, unguarded, type Damage } from "./verify-damages.ts";

export const LEDGER_DAMAGES: readonly Damage[] = [
  {
    damage: "a lowered counter of holds",
    sql: ["UPDATE coupon SET held = 0"],
    failed: [5, 7],
    said: "the counter says 0 held, and there are 1 hold",
  },
  {
    damage: "a gap in the ledger",
    sql: [...unguarded("ledger"), "DELETE FROM ledger WHERE seq = 9"],
    failed: [7],
    said: 'event 10 (claimed "u4") comes after event 8',
  },
  {
    damage: "a ledger without its end",
    sql: [...unguarded("ledger"), "DELETE FROM ledger WHERE seq = 17"],
    failed: [7],
    said: "the ledger's head is 17, and 16 by the ledger",
  },
  {
    damage: "no ledger at all",
    sql: [...unguarded("ledger"), "DELETE FROM ledger"],
    failed: [7, 8],
    said: "the ledger's head is 17, and 0 by the ledger",
  },
  {
    damage: "a forked ledger",
    sql: [...unguarded("ledger"), "INSERT INTO ledger SELECT * FROM ledger WHERE seq = 8"],
    failed: [7],
    said: 'event 8 (given_back "returned") comes after event 8',
  },
  {
    damage: "two events that changed places",
    sql: [...unguarded("ledger"), "UPDATE ledger SET seq = 29 - seq WHERE seq IN (14, 15)"],
    failed: [7],
    said: 'event 14 (claimed "u6")',
  },
  {
    damage: "a claim without an event",
    sql: [...unguarded("ledger"), "UPDATE ledger SET kind = 'expired' WHERE seq = 15"],
    failed: [7],
    said: 'event 15 (expired "u6") has no hold',
  },
  {
    damage: "a claim that the ledger does not know",
    sql: [`${CLAIM} ('x', 8, 1700000003006, 0, 'x')`, "UPDATE coupon SET claimed = 7, last_position = 8"],
    failed: [7],
    said: 'the claim of "x" at position 8, 2023-11-14T22:13:23.006Z, 0 left is not in the ledger',
  },
  {
    damage: "an event without a claim",
    sql: ["DELETE FROM claims WHERE user_id = 'u6'"],
    failed: [3, 5, 7, 8],
    said: 'the claim of "u6" at position 6, 2023-11-14T22:13:23.005Z, 3 left is in the ledger alone',
  },
  { damage: "a hold beside a claim", sql: ["UPDATE holds SET user_id = 'u1'"], failed: [2, 7], said: '"u1" has a claim and a hold' },
  {
    damage: "a user with two holds",
    sql: [...unguarded("holds"), "INSERT INTO holds SELECT * FROM holds"],
    failed: [2, 5, 7],
    said: '"h1" has two holds',
  },
  { damage: "a lost hold", sql: ["DELETE FROM holds"], failed: [5, 7], said: "the counter says 1 held, and there are 0 holds" },
  {
    damage: "a longer hold",
    sql: ["UPDATE holds SET expires_at = expires_at + 1"],
    failed: [7],
    said: 'the hold of "h1" from 2023-11-14T22:13:23.006Z until 2023-11-14T22:23:23.007Z is not in the ledger',
  },
  {
    damage: "a hold that was not given up in time",
    sql: ["UPDATE coupon SET clock_at = clock_at + 600000"],
    failed: [5],
    said: 'the hold of "h1" was over by the coupon\'s own clock',
  },
  {
    damage: "a clock that went back",
    sql: ["UPDATE coupon SET clock_at = clock_at - 1"],
    failed: [7],
    said: "the coupon's clock is behind its last event",
  },
  {
    damage: "an event before the one before it",
    sql: [...unguarded("ledger"), "UPDATE ledger SET at = at - 3 WHERE seq = 17"],
    failed: [7],
    said: "is earlier than the one before",
  },
  {
    damage: "a release in the table alone",
    sql: [
      "INSERT INTO releases SELECT user_id, position, claimed_at, remaining_after, NULL, attempt_id, 1700000003006 FROM claims WHERE user_id = 'u6'",
      "DELETE FROM claims WHERE user_id = 'u6'",
      "UPDATE coupon SET claimed = 5",
    ],
    failed: [7, 8],
    said: '"u6" at position 6 at 2023-11-14T22:13:23.005Z, released, but not by the ledger',
  },
  {
    damage: "a release beside its claim",
    sql: [
      "INSERT INTO releases SELECT user_id, position, claimed_at, remaining_after, NULL, attempt_id, 1700000003006 FROM claims WHERE user_id = 'u6'",
    ],
    failed: [2, 7],
    said: '"u6" has position 6, which was released',
  },
  {
    damage: "a release that was forgotten",
    sql: ["DELETE FROM releases"],
    failed: [7, 8],
    said: '"u4" at position 4 at 2023-11-14T22:13:23.000Z, told, but "u4" at position 7 at',
  },
  {
    damage: "a claim while the sale was paused",
    sql: [...unguarded("ledger"), "UPDATE ledger SET data = json_set(data, '$.paused', 1) WHERE seq = 14", "UPDATE coupon SET paused = 1"],
    failed: [7],
    said: 'event 15 (claimed "u6") comes while the sale is paused',
  },
  {
    damage: "a claim after the end of the sale",
    sql: [
      ...unguarded("ledger"),
      "UPDATE ledger SET data = json_set(data, '$.ends_at', at) WHERE seq = 14",
      "UPDATE coupon SET ends_at = 1700000003004",
    ],
    failed: [7],
    said: 'event 15 (claimed "u6") comes after the end of the sale',
  },
  {
    damage: "an event of no known kind",
    sql: [...unguarded("ledger"), "UPDATE ledger SET kind = 'constructor' WHERE seq = 8"],
    failed: [7],
    said: 'event 8 (constructor "returned") is of a kind that is not known',
  },
  {
    damage: "an event with broken JSON",
    sql: [...unguarded("ledger"), "UPDATE ledger SET data = '{' WHERE seq = 13"],
    failed: [7],
    said: "event 13 (changed) has data that is no JSON object",
  },
];
