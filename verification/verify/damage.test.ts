// Each damage to a coupon's file and each wrong receipt fails exactly the checks that it concerns.

import { afterEach, beforeEach, expect, test } from "vitest";

import { DAMAGES } from "./damages.fixture.ts";
import { BUSY, failed, newState, putBusyCoupon, putCoupon, type State } from "./state.fixture.ts";
import { verify, type Receipt } from "./verify.ts";

const TABLES = ["coupon", "claims", "holds", "releases", "released_holds", "ledger"];
const U2: Receipt = { coupon: BUSY, userId: "u2", position: 2, claimedAt: "2023-11-14T22:13:21.000Z" };

let state: State;
let receipts: Receipt[];

beforeEach(() => {
  state = newState();
  receipts = putBusyCoupon(state);
});

afterEach(() => state.remove());

test("a busy coupon passes all checks", async () => {
  const checks = await verify({ state: state.folder, receipts });

  expect(checks.map(({ number, verdict, detail }) => `${number} ${verdict} ${detail}`)).toEqual([
    "1 PASS 6 claims + 1 hold ≤ 8",
    "2 PASS 6 users, 1 hold of others, no position twice",
    "3 PASS 6 users, 6 claims, counter 6",
    "4 SKIP no API to compare with: set --url",
    "5 PASS 8 − 6 − 1 = 1; 1 hold will expire at the next call",
    "6 PASS 1 remaining",
    "7 PASS 17 events replayed: 6 claims, 1 hold, 1 revocation",
    "8 PASS 8 acknowledged: 7 stored, 1 revoked later",
  ]);
});

test.for(DAMAGES)("the verifier finds %s", async ([, sql, numbers, detail]) => {
  state.alter(BUSY, (database) => {
    // Tables without keys, checks and triggers accept every damage.
    for (const table of TABLES) {
      database.exec(`CREATE TABLE bare AS SELECT * FROM ${table}; DROP TABLE ${table}; ALTER TABLE bare RENAME TO ${table}`);
    }
    database.exec(sql);
  });

  const checks = (await verify({ state: state.folder, receipts })).filter(({ verdict }) => verdict === "FAIL");

  expect(checks.map(({ number }) => number)).toEqual(numbers);
  expect(checks.map((check) => check.detail).join("\n")).toContain(detail);
});

const U2_STORED = '"u2" at position 2 at 2023-11-14T22:13:21.000Z';

test.for<[what: string, wrong: Partial<Receipt>, found: string]>([
  ["another position", { position: 3 }, U2_STORED],
  ["another instant", { claimedAt: "2023-11-14T22:13:21.001Z" }, U2_STORED],
  ["no instant", { claimedAt: "then" }, U2_STORED],
  ["another user", { userId: "nobody" }, "nothing of this user"],
  ["a position that the user never had", { userId: "u4", position: 5 }, '"u4" at position 7 at 2023-11-14T22:13:23.005Z'],
])("a receipt with %s fails check 8", async ([, wrong, found]) => {
  const [fault, ...others] = await failed(state, { receipts: [...receipts, { ...U2, ...wrong }] });
  expect(fault).toContain(`${BUSY} 8 `);
  expect(fault).toContain(`was acknowledged, but stored is ${found}`);
  expect(others).toEqual([]);
});

test("a receipt of a coupon that is not in the state fails check 8", async () => {
  putCoupon(state, "EMPTY", 3);
  const gone = { ...U2, coupon: "GONE" };
  expect(await failed(state, { receipts: [...receipts, ...receipts, gone] })).toEqual([
    "GONE 8 1 claim acknowledged, and the state has no such coupon",
  ]);
});

test("many lost claims are counted and the first three are named", async () => {
  const lost = Array.from({ length: 9 }, (_, index) => ({ ...U2, userId: `lost-${index + 1}` }));
  const [fault] = await failed(state, { receipts: lost });
  expect(fault).toMatch(/"lost-1".*"lost-2".*"lost-3".*; and 6 more$/);
});
