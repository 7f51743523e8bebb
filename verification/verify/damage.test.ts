// Each kind of damage to a coupon's file is found, by the checks that it concerns and by no others.

import { afterEach, beforeEach, expect, test } from "vitest";

import { verify, type Check, type Told } from "./verify.ts";
import { LEDGER_DAMAGES } from "./damages-ledger.fixture.ts";
import { DAMAGES } from "./damages.fixture.ts";
import { BUSY, newState, putBusyCoupon, type State } from "./state.fixture.ts";

let state: State;
let told: Told[];

beforeEach(() => {
  state = newState();
  told = putBusyCoupon(state);
});

afterEach(() => state.remove());

function failedIn(checks: readonly Check[]): number[] {
  return checks.filter(({ verdict }) => verdict === "FAIL").map(({ number }) => number);
}

test("a coupon that everything has happened to passes", async () => {
  const checks = await verify({ state: state.folder, told });

  expect(checks.map(({ number, verdict, detail }) => `${number} ${verdict} ${detail}`)).toEqual([
    "1 PASS 6 claims + 1 hold ≤ 8",
    "2 PASS 6 users, 1 hold of others, no position twice",
    "3 PASS 6 users, 6 claims, counter 6",
    "4 SKIP no API to ask: name one with --url",
    "5 PASS 8 − 6 − 1 = 1; 1 hold over by now: the next call returns what they keep",
    "6 PASS 1 remaining",
    "7 PASS 17 events, retold: 6 claims, 1 hold, 1 release",
    "8 PASS 8 told: 7 stored, 1 released later",
  ]);
});

test.for([...DAMAGES, ...LEDGER_DAMAGES])("$damage is found", async ({ sql, failed, said }) => {
  state.alter(BUSY, (database) => {
    database.exec("PRAGMA ignore_check_constraints = ON");
    for (const statement of sql) database.exec(statement);
  });

  const checks = await verify({ state: state.folder, told });

  expect(failedIn(checks)).toEqual(failed);
  expect(checks.map(({ detail }) => detail).join("\n")).toContain(said);
});
