// Tables of each version that there has been, and of one that is not known.

import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { verify, type Check } from "./verify.ts";
import { SCHEMA_VERSION } from "../../src/engine/schema.ts";
import { holdOf, T0 } from "../../test/rules/coupon.ts";
import { putVersion1 } from "../../test/rules/version-1.ts";
import { BUSY, newState, putBusyCoupon, putCoupon, withEngine, type State } from "./state.fixture.ts";

let state: State;

beforeEach(() => {
  state = newState();
});

afterEach(() => state.remove());

/** Each check that failed. */
function failed(checks: readonly Check[]): string[] {
  return checks.filter(({ verdict }) => verdict === "FAIL").map(({ coupon, number, detail }) => `${coupon} ${number} ${detail}`);
}

describe("a coupon with tables of a version that is not known", () => {
  test.for([SCHEMA_VERSION + 1, 0, -1])("fails by its name: %i", async (version) => {
    const told = putBusyCoupon(state);
    state.alter(BUSY, (database) => database.exec(`UPDATE coupon SET schema_version = ${version}`));
    const why = `the file can't be read: its tables are of version ${version}, and 1 to ${SCHEMA_VERSION} are known here`;
    expect(failed(await verify({ state: state.folder, told }))).toEqual([1, 2, 3, 5, 6, 7, 8].map((number) => `${BUSY} ${number} ${why}`));
  });

  test("does not keep others from being checked", async () => {
    putBusyCoupon(state);
    putCoupon(state, "other", 3);
    state.alter(BUSY, (database) => database.exec(`UPDATE coupon SET schema_version = ${SCHEMA_VERSION + 1}`));
    const checks = await verify({ state: state.folder });
    expect(checks.filter(({ coupon, verdict }) => coupon === "other" && verdict === "PASS")).toHaveLength(6);
  });
});

describe("a coupon of version 1", () => {
  const NAME = "from version 1";
  beforeEach(() => {
    const database = new DatabaseSync(state.file(NAME));
    putVersion1(database, NAME);
    database.close();
  });

  /** How its checks ended. */
  async function verdicts(): Promise<string[]> {
    const checks = await verify({ state: state.folder, coupon: NAME });
    return checks.filter(({ verdict }) => verdict !== "SKIP").map(({ number, verdict, detail }) => `${number} ${verdict} ${detail}`);
  }

  const PASSED = [
    "1 PASS 1 claim + 1 hold ≤ 6",
    "2 PASS 1 users, 1 hold of others, no position twice",
    "3 PASS 1 user, 1 claim, counter 1",
    "5 PASS 6 − 1 − 1 = 4; 1 hold over by now: the next call returns what they keep",
    "6 PASS 4 remaining",
    "7 PASS 8 events, retold: 1 claim, 1 hold, 1 release",
  ];

  test("is known as it is", async () => {
    expect(await verdicts()).toEqual(PASSED);
  });

  test("is known once it is migrated, though its ledger names no limits for holds", async () => {
    withEngine(state, NAME, (engine) => engine.read({ claimedBy: false }, T0));
    expect(await verdicts()).toEqual(PASSED);
  });

  test("keeps a row of each hold that was released after that", async () => {
    withEngine(state, NAME, (engine) => {
      engine.releaseHold("cid", T0);
      engine.hold(holdOf("eve", 1_000), T0 + 1);
      engine.releaseHold("eve", T0 + 2);
    });
    expect((await verdicts()).at(-1)).toBe("7 PASS 11 events, retold: 1 claim, 0 holds, 1 release");
    state.alter(NAME, (database) => database.exec("DELETE FROM released_holds WHERE user_id = 'eve'"));
    expect((await verdicts()).at(-1)).toBe('7 FAIL the hold of "eve", released 2023-11-14T22:13:20.002Z, is in the ledger alone');
  });
});
