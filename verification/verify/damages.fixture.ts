// Damages to the file of the busy coupon, and the checks that have to find each.

import type { Check } from "./verify.ts";

/** Its name, its SQL, the numbers of exactly the checks that fail, and a part of what they say. */
export type Damage = readonly [damage: string, sql: string, failed: readonly Check["number"][], detail: string];

/** The instant of the coupon's last event. */
const AT = 1_700_000_003_006;
const CLAIM = "INSERT INTO claims (user_id, position, claimed_at, remaining_after, attempt_id)";
const EVENT = "INSERT INTO ledger (seq, at, kind, user_id, position)";
const REVOKE_U6 = `INSERT INTO releases
  SELECT user_id, position, claimed_at, remaining_after, NULL, attempt_id, ${AT} FROM claims WHERE user_id = 'u6'`;

function claim(userId: string, position: number): string {
  return `${CLAIM} VALUES ('${userId}', ${position}, ${AT}, ${8 - position}, 'x')`;
}

function event(seq: number, userId: string, position: number): string {
  return `${EVENT} VALUES (${seq}, ${AT}, 'claimed', '${userId}', ${position})`;
}

function settings(seq: number, key: string, value: string): string {
  return `UPDATE ledger SET data = json_set(data, '$.${key}', ${value}) WHERE seq = ${seq}`;
}

const COUNTERS_AND_SETTINGS: readonly Damage[] = [
  ["a lowered counter", "UPDATE coupon SET claimed = 5", [3, 5, 7], "6 users, 6 claims, counter 5"],
  ["a raised counter", "UPDATE coupon SET claimed = 7", [3, 5, 7], "claimed is 7, and 6 by the ledger"],
  ["a lowered counter of holds", "UPDATE coupon SET held = 0", [5, 7], "the counter says 0 held, and the table has 1 hold"],
  ["negative stock", "UPDATE coupon SET amount = 5", [1, 6, 7], "remaining by the counters: -2"],
  ["a negative counter", "UPDATE coupon SET held = -1", [5, 6, 7], "held: -1"],
  ["a counter that is no number", "UPDATE coupon SET claimed = 'six'", [3, 5, 6, 7], "counter six"],
  ["a wrong amount", "UPDATE coupon SET amount = 9", [7], "the amount is 9, and 8 by the ledger"],
  ["another window", "UPDATE coupon SET ends_at = ends_at + 1", [7], "the end of the sale is 1700000800001"],
  ["a pause without an event", "UPDATE coupon SET paused = 1", [7], "paused is 1, and 0 by the ledger"],
  ["an archive without an event", "UPDATE coupon SET archived_at = 1", [7], "the archive is 1, and null by the ledger"],
  ["a position that was never granted", "UPDATE coupon SET last_position = 8", [7], "the last position is 8, and 7 by the ledger"],
  ["another limit for the length of holds", "UPDATE coupon SET hold_seconds_max = 900", [7], "the longest hold is 900"],
  ["another limit for the number of holds", "UPDATE coupon SET holds_max = NULL", [7], "the most holds is null, and 4"],
  ["a lost title", "UPDATE coupon SET title = NULL", [7], "the title is null, and /shoe by the ledger"],
  ["a title in another's place", "UPDATE coupon SET description = title", [7], "the description is /shoe, and null by the ledger"],
  ["a clock that went back", "UPDATE coupon SET clock_at = clock_at - 1", [7], "the coupon's clock is behind its last event"],
  ["a coupon's row twice", "INSERT INTO coupon SELECT * FROM coupon", [1, 3, 5, 6, 7], "the table coupon has 2 rows"],
  ["no row of the coupon", "DELETE FROM coupon", [1, 3, 5, 6, 7], "the table coupon has 0 rows"],
  ["a coupon without a name", "UPDATE coupon SET name = x'07'", [1, 3, 5, 6, 7], "the coupon has no name"],
];

const CLAIMS: readonly Damage[] = [
  ["an extra claim", claim("x", 8), [3, 5, 7], "7 users, 7 claims, counter 6"],
  ["more claims than units", `${claim("x", 8)}; ${claim("y", 9)}`, [1, 3, 5, 6, 7], "8 claims + 1 hold > 8"],
  [
    "an oversell that all tables agree on",
    `${claim("x", 8)}; ${claim("y", 9)}; ${event(18, "x", 8)}; ${event(19, "y", 9)};
     UPDATE coupon SET claimed = 8, last_position = 9, seq = 19`,
    [1, 6, 7],
    'event 19 (claimed "y") comes when nothing is left and leaves -1 units',
  ],
  ["a user with two claims", claim("u1", 8), [2, 3, 5, 7], '"u1" has two claims'],
  [
    "a user with two claims that all tables agree on",
    `${claim("u1", 8)}; ${event(18, "u1", 8)}; UPDATE coupon SET claimed = 7, last_position = 8, seq = 18`,
    [2, 3, 7],
    'event 18 (claimed "u1") has a claim already',
  ],
  ["a claim twice", "INSERT INTO claims SELECT * FROM claims WHERE user_id = 'u2'", [2, 3, 5, 7], "position 2 was given twice"],
  ["two claims at one position", "UPDATE claims SET position = 1 WHERE user_id = 'u2'", [2, 7, 8], "position 1 was given twice"],
  ["two claims under one key", "UPDATE claims SET idempotency_key = 'key-1' WHERE user_id = 'u2'", [2], 'two claims have the key "key-1"'],
  [
    "a lost claim that all tables forgot",
    `DELETE FROM claims WHERE user_id = 'u4'; DELETE FROM ledger WHERE seq = 16; UPDATE ledger SET seq = 16 WHERE seq = 17;
     UPDATE coupon SET claimed = 5, last_position = 6, seq = 16`,
    [8],
    '"u4" at position 7 at 2023-11-14T22:13:23.005Z was acknowledged, but stored is nothing of this user',
  ],
  [
    "a claim that went to another user",
    "UPDATE claims SET user_id = 'thief' WHERE user_id = 'u2'; UPDATE ledger SET user_id = 'thief' WHERE user_id = 'u2'",
    [8],
    '"u2" at position 2 at 2023-11-14T22:13:21.000Z was acknowledged, but stored is nothing of this user',
  ],
  [
    "two claims that changed places",
    `UPDATE claims SET position = 3 - position, remaining_after = 7 - remaining_after WHERE user_id IN ('u1', 'u2');
     UPDATE ledger SET user_id = iif(user_id = 'u1', 'u2', 'u1') WHERE seq IN (2, 3)`,
    [8],
    '"u1" at position 1 at 2023-11-14T22:13:21.000Z was acknowledged, but stored is "u1" at position 2',
  ],
  ["a changed instant", "UPDATE claims SET claimed_at = claimed_at + 1 WHERE user_id = 'u5'", [7, 8], "2023-11-14T22:13:23.001Z"],
  [
    "a changed receipt",
    "UPDATE claims SET remaining_after = remaining_after + 1 WHERE user_id = 'u5'",
    [7],
    'the claim of "u5" at position 5, 2023-11-14T22:13:23.000Z, 1 left is not in the ledger',
  ],
  ["no table of claims", "DROP TABLE claims", [1, 2, 3, 5, 6, 7, 8], "no such table: claims"],
  [
    "a number that is too large",
    "UPDATE claims SET claimed_at = 9223372036854775807 WHERE user_id = 'u1'",
    [1, 2, 3, 5, 6, 7, 8],
    "the file can't be read: ",
  ],
];

const LEDGER: readonly Damage[] = [
  ["a gap in the ledger", "DELETE FROM ledger WHERE seq = 9", [7], 'event 10 (claimed "u4") comes after event 8'],
  ["a ledger without its end", "DELETE FROM ledger WHERE seq = 17", [7], "the ledger's head is 17, and 16 by the ledger"],
  ["an empty ledger", "DELETE FROM ledger", [7, 8], "the ledger's head is 17, and 0 by the ledger"],
  ["a forked ledger", "INSERT INTO ledger SELECT * FROM ledger WHERE seq = 8", [7], 'event 8 (given_back "returned") comes after event 8'],
  ["two events that changed places", "UPDATE ledger SET seq = 29 - seq WHERE seq IN (14, 15)", [7], 'event 14 (claimed "u6")'],
  ["a claim without an event", "UPDATE ledger SET kind = 'expired' WHERE seq = 15", [7], 'event 15 (expired "u6") has no hold'],
  [
    "a claim that the ledger does not have",
    `${claim("x", 8)}; UPDATE coupon SET claimed = 7, last_position = 8`,
    [7],
    'the claim of "x" at position 8, 2023-11-14T22:13:23.006Z, 0 left is not in the ledger',
  ],
  [
    "an event without a claim",
    "DELETE FROM claims WHERE user_id = 'u6'",
    [3, 5, 7, 8],
    'the claim of "u6" at position 6, 2023-11-14T22:13:23.005Z, 3 left is in the ledger alone',
  ],
  ["an event before the previous one", "UPDATE ledger SET at = at - 3 WHERE seq = 17", [7], "is earlier than the one before"],
  [
    "a change without limits for holds",
    "UPDATE ledger SET data = json_remove(data, '$.hold_seconds_max') WHERE seq = 14",
    [7],
    "event 14 (changed) has no hold_seconds_max",
  ],
  ["a hold longer than its limit", settings(1, "hold_seconds_max", "9"), [7], 'event 4 (held "u3") is longer than 9 s'],
  ["a hold beyond their number", settings(1, "holds_max", "2"), [7], 'event 6 (held "returned") comes while 2 of 2 holds run'],
  [
    "a claim while the sale was paused",
    `${settings(14, "paused", "1")}; UPDATE coupon SET paused = 1`,
    [7],
    'event 15 (claimed "u6") comes while the sale is paused',
  ],
  [
    "a claim after the end of the sale",
    `${settings(14, "ends_at", "at")}; UPDATE coupon SET ends_at = ${AT - 2}`,
    [7],
    'event 15 (claimed "u6") comes after the end of the sale',
  ],
  ["an event of an unknown kind", "UPDATE ledger SET kind = 'constructor' WHERE seq = 8", [7], "is of an unknown kind"],
  ["an event with broken JSON", "UPDATE ledger SET data = '{' WHERE seq = 13", [7], "has data that is no JSON object"],
];

const HOLDS_AND_REVOCATIONS: readonly Damage[] = [
  ["a hold beside a claim", "UPDATE holds SET user_id = 'u1'", [2, 7], '"u1" has a claim and a hold'],
  ["a user with two holds", "INSERT INTO holds SELECT * FROM holds", [2, 5, 7], '"h1" has two holds'],
  ["a lost hold", "DELETE FROM holds", [5, 7], "the counter says 1 held, and the table has 0 holds"],
  [
    "a longer hold",
    "UPDATE holds SET expires_at = expires_at + 1",
    [7],
    'the hold of "h1" from 2023-11-14T22:13:23.006Z until 2023-11-14T22:23:23.007Z is not in the ledger',
  ],
  ["a hold that did not expire", "UPDATE coupon SET clock_at = clock_at + 600000", [5], 'the hold of "h1" should have expired'],
  ["a released hold that was forgotten", "DELETE FROM released_holds", [7], "2023-11-14T22:13:21.005Z, is in the ledger alone"],
  [
    "a released hold that the ledger does not have",
    `INSERT INTO released_holds VALUES ('x', 'x', ${AT})`,
    [7],
    'the hold of "x", released 2023-11-14T22:13:23.006Z, is not in the ledger',
  ],
  [
    "a released hold at another instant",
    "UPDATE released_holds SET released_at = released_at + 1",
    [7],
    'the hold of "returned", released 2023-11-14T22:13:21.006Z, is not in the ledger',
  ],
  [
    "a hold of a request whose hold was released",
    "UPDATE released_holds SET user_id = 'h1', attempt_id = 'd'",
    [2, 7],
    '"h1" has a hold that was released',
  ],
  ["a hold released twice", "INSERT INTO released_holds SELECT * FROM released_holds", [2, 7], '["returned","c"] was released twice'],
  ["no table of released holds", "DROP TABLE released_holds", [2, 7], "no such table: released_holds"],
  [
    "a revocation in the table alone",
    `${REVOKE_U6}; DELETE FROM claims WHERE user_id = 'u6'; UPDATE coupon SET claimed = 5`,
    [7, 8],
    '"u6" at position 6 at 2023-11-14T22:13:23.005Z was revoked, but not by the ledger',
  ],
  ["a revocation beside its claim", REVOKE_U6, [2, 7], '"u6" has position 6, which was released'],
  [
    "a revocation that was forgotten",
    "DELETE FROM releases",
    [7, 8],
    '"u4" at position 4 at 2023-11-14T22:13:23.000Z was acknowledged, but stored is "u4" at position 7 at',
  ],
];

export const DAMAGES: readonly Damage[] = [...COUNTERS_AND_SETTINGS, ...CLAIMS, ...LEDGER, ...HOLDS_AND_REVOCATIONS];
