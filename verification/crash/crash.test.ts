// The books of the crash test: each way in which a claim can go wrong is one that they find.

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { describe, expect, onTestFinished, test } from "vitest";

import type { Answer } from "../client/coupon-client.ts";
import { Account, type Caller, type Stored, type StoredClaim } from "./accounting.ts";
import { boundOf } from "./report.ts";
import { drawSale } from "./sale.ts";
import { storedClaims } from "./stored.ts";
import { failuresOf, nothing, type Tally } from "./tally.ts";
import { seeded } from "../random.ts";
import { EngineCalls, newCoupon, T0 } from "../../test/rules/coupon.ts";
import { nodeSql } from "../../test/rules/node-sql.ts";
import { newState } from "../verify/state.fixture.ts";

const AT = "2026-11-27T09:00:00.000Z";
const LATER = "2026-11-27T09:00:00.001Z";
const AMOUNTS = new Map([["promo", 2]]);

const ada: Caller = { coupon: "promo", userId: "ada", key: "key-ada" };
const bob: Caller = { coupon: "promo", userId: "bob", key: "key-bob" };

function claim({ coupon, userId, key }: Caller, position: number, claimedAt = AT): StoredClaim {
  return { coupon, userId, key, position, claimedAt };
}

function file(...claims: readonly StoredClaim[]): Stored {
  return { claims: new Map([["promo", claims]]), unreadable: [] };
}

function granted({ coupon, userId }: Caller, position: number, { claimedAt = AT, isReplay = false } = {}): Answer {
  const body = { coupon_name: coupon, user_id: userId, position, claimed_at: claimedAt };
  return { status: 201, body, seq: 1, headers: isReplay ? { "idempotent-replayed": "true" } : {} };
}

const outOfStock: Answer = { status: 400, body: { code: "out_of_stock" }, seq: 1, headers: {} };

/** Ada and Bob ask; Ada is told of position 1 at `toldAtMs`, Bob's answer has not come when the kill does, at 1,000. */
function killedBeforeBobsAnswer(stored: Stored, toldAtMs = 500): { readonly account: Account; readonly left: readonly Caller[] } {
  const account = new Account([ada, bob]);
  account.asked(ada);
  account.asked(bob);
  account.answered(ada, granted(ada, 1), toldAtMs);
  return { account, left: account.killed(stored, 1_000) };
}

function retried(account: Account, answer: Answer): void {
  account.asked(bob);
  account.answered(bob, answer, 2_000);
}

describe("after a kill", () => {
  test("all is well where what was told is stored, and who has no answer asks again", () => {
    const { account, left } = killedBeforeBobsAnswer(file(claim(ada, 1)));
    expect(left).toEqual([bob]);
    expect(account.faults).toEqual([]);
    expect(account.tally).toEqual({ ...nothing(), kills: 1, acknowledged: 1, missing: 1 });
  });

  test.for([
    ["is missing", file()],
    ["has another position", file(claim(ada, 2))],
    ["has another instant", file(claim(ada, 1, LATER))],
  ] as const)("an acknowledged claim that %s is lost, once", ([, stored]) => {
    const { account } = killedBeforeBobsAnswer(stored);
    account.killed(stored, 2_000);
    expect(account.tally.lost).toBe(1);
    expect(account.faults).toHaveLength(1);
    expect(account.faults[0]).toContain("ada was told of position 1");
  });

  test("a coupon whose file is gone has lost its claims", () => {
    expect(killedBeforeBobsAnswer({ claims: new Map(), unreadable: [] }).account.tally.lost).toBe(1);
  });

  test("a file that can't be read is a fault, and its claims are lost", () => {
    const { account } = killedBeforeBobsAnswer({ claims: new Map(), unreadable: ["7.sqlite can't be read: it is malformed"] });
    expect(account.tally.lost).toBe(1);
    expect(account.faults[0]).toBe("7.sqlite can't be read: it is malformed");
  });

  test("what was told just before is counted apart", () => {
    expect(killedBeforeBobsAnswer(file(claim(ada, 1)), 981).account.tally.late).toBe(1);
    expect(killedBeforeBobsAnswer(file(claim(ada, 1)), 980).account.tally.late).toBe(0);
  });

  test("a kill at which nobody waits is counted as idle", () => {
    const account = new Account([ada]);
    account.killed(file(), 1_000);
    expect(account.tally).toMatchObject({ kills: 1, idleKills: 1 });
  });

  test("what was in the file and told to nobody must not be gone after the next kill", () => {
    const { account } = killedBeforeBobsAnswer(file(claim(ada, 1), claim(bob, 2)));
    account.asked(bob);
    account.killed(file(claim(ada, 1)), 2_000);
    expect(account.tally).toMatchObject({ found: 1, foundAgain: 1, missing: 1 });
    expect(account.faults).toEqual([`promo: bob had position 2 at ${AT} in the file, and has no more`]);
  });
});

describe("a retry of what was stored though unanswered", () => {
  const stored = file(claim(ada, 1), claim(bob, 2));

  test("has to be told the same claim, as a replay", () => {
    const { account } = killedBeforeBobsAnswer(stored);
    retried(account, granted(bob, 2, { isReplay: true }));
    account.closed(stored, AMOUNTS, []);
    expect(account.faults).toEqual([]);
    expect(account.tally).toMatchObject({ found: 1, foundReplayed: 1, lost: 0, untold: 0, coupons: 1, couponsExact: 1 });
  });

  test.for([
    ["out_of_stock", outOfStock],
    ["a new claim", granted(bob, 2)],
    ["another position", granted(bob, 3, { isReplay: true })],
    ["another instant", granted(bob, 2, { claimedAt: LATER, isReplay: true })],
    ["another user's claim", granted(ada, 2, { isReplay: true })],
    ["nothing that helps", { status: 503, body: { code: "outcome_unknown" }, seq: null, headers: {} }],
  ] as const)("must not be told %s", ([, answer]) => {
    const { account } = killedBeforeBobsAnswer(stored);
    retried(account, answer);
    expect(account.tally.foundReplayed).toBe(0);
    expect(account.faults).toHaveLength(1);
  });
});

describe("a retry of what was not stored", () => {
  test.for([
    ["a new claim", granted(bob, 2), { missingGranted: 1 }],
    ["out_of_stock", outOfStock, { missingRefused: 1, refused: 1 }],
  ] as const)("may be told %s", ([, answer, counted]) => {
    const { account } = killedBeforeBobsAnswer(file(claim(ada, 1)));
    retried(account, answer);
    expect(account.faults).toEqual([]);
    expect(account.tally).toMatchObject({ missing: 1, ...counted });
  });

  test("must not be told of a claim of before", () => {
    const { account } = killedBeforeBobsAnswer(file(claim(ada, 1)));
    retried(account, granted(bob, 2, { isReplay: true }));
    expect(account.faults).toEqual([`promo: bob was told of position 2 at ${AT} as a replay, and the file had nothing`]);
  });
});

describe("at the end of a sale", () => {
  function closedWith(...claims: readonly StoredClaim[]): Account {
    const { account } = killedBeforeBobsAnswer(file(claim(ada, 1)));
    retried(account, granted(bob, 2));
    account.closed(file(...claims), AMOUNTS, []);
    return account;
  }

  test("all is well where exactly what was told is stored", () => {
    expect(closedWith(claim(ada, 1), claim(bob, 2)).faults).toEqual([]);
  });

  test("a claim that is missing only now is lost", () => {
    expect(closedWith(claim(bob, 2)).tally).toMatchObject({ lost: 1, couponsExact: 0 });
  });

  test("a third claim of two units is told to nobody, and too many", () => {
    const { tally, faults } = closedWith(claim(ada, 1), claim(bob, 2), claim({ coupon: "promo", userId: "eve", key: "key-eve" }, 3));
    expect(tally).toMatchObject({ untold: 1, twice: 0, coupons: 1, couponsExact: 0 });
    expect(faults).toEqual(["promo: 3 claims are stored, and its amount is 2"]);
  });

  test.for([
    ["user", claim({ ...bob, key: "another" }, 3)],
    ["position", claim({ ...ada, userId: "eve", key: "another" }, 2)],
    ["key", claim({ ...bob, userId: "eve" }, 3)],
  ] as const)("a second claim of one %s is stored twice", ([, second]) => {
    expect(closedWith(claim(ada, 1), claim(bob, 2), second).tally.twice).toBe(1);
  });

  test("a verification that does not pass is a fault, also one that was skipped", () => {
    const account = new Account([]);
    const check = { coupon: "promo", title: "told", detail: "one is missing" } as const;
    account.closed({ claims: new Map(), unreadable: [] }, new Map(), [
      { ...check, number: 1, verdict: "PASS" },
      { ...check, number: 4, verdict: "SKIP" },
      { ...check, number: 8, verdict: "FAIL" },
    ]);
    expect(account.tally).toMatchObject({ checksPassed: 1, checksNotPassed: 2, toldChecksFailed: 1 });
    expect(account.faults).toEqual([
      "promo: verification 4, told: SKIP, one is missing",
      "promo: verification 8, told: FAIL, one is missing",
    ]);
  });
});

describe("a run", () => {
  const product = { tally: { ...nothing(), kills: 1, acknowledged: 1, coupons: 1, couponsExact: 1 }, faults: [] };
  const control = { tally: { ...nothing(), lost: 1, toldChecksFailed: 1 }, faults: [] };

  test("passes where the product lost nothing and the control did", () => {
    expect(failuresOf(product, control)).toEqual([]);
  });

  test.for([
    { lost: 1 },
    { twice: 1 },
    { untold: 1 },
    { couponsExact: 0 },
    { checksNotPassed: 1 },
    { found: 1 },
    { acknowledged: 0 },
    { idleKills: 1 },
  ] satisfies Partial<Tally>[])("fails with %o", (planted) => {
    expect(failuresOf({ ...product, tally: { ...product.tally, ...planted } }, control)).toHaveLength(1);
  });

  test("fails with any other fault", () => {
    expect(failuresOf({ ...product, faults: ["ada was answered 500"] }, control)).toEqual(["1 facts are not as they have to be"]);
  });

  test("fails where the control's losses are not seen", () => {
    expect(failuresOf(product, { ...control, tally: { ...control.tally, lost: 0 } })[0]).toContain("the harness cannot see a loss");
    expect(failuresOf(product, { ...control, tally: { ...control.tally, toldChecksFailed: 0 } })[0]).toContain("verification cannot see");
  });

  test("that lost nothing bounds the true rate by three over the number of claims, and one that lost some by nothing", () => {
    expect(boundOf({ ...nothing(), acknowledged: 3_000 })).toBe(0.001);
    expect(boundOf({ ...nothing(), acknowledged: 3_000, lost: 1 })).toBeNull();
    expect(boundOf(nothing())).toBeNull();
  });
});

test("a sale is drawn from its seed, with more demand than stock, and all kills before its end", () => {
  const sale = drawSale(1, 10, seeded(5));
  expect(drawSale(1, 10, seeded(5))).toEqual(sale);
  expect(drawSale(1, 10, seeded(6)).kills).not.toEqual(sale.kills);
  for (const [coupon, amount] of sale.amounts) {
    expect(sale.callers.filter((caller) => caller.coupon === coupon).length).toBeGreaterThan(amount);
  }
  expect(new Set(sale.callers.map(({ key }) => key)).size).toBe(sale.callers.length);
  const instants = sale.kills.map(({ afterAnswers }) => afterAnswers);
  expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  expect(instants.at(-1)).toBeLessThan(sale.callers.length);
});

test("what the files say is read with what is still in the write-ahead log, and they stay as they are", async () => {
  const state = newState();
  onTestFinished(state.remove);
  const database = new DatabaseSync(state.file("promo"));
  onTestFinished(() => database.close());
  database.exec("PRAGMA journal_mode = WAL");
  const engine = new EngineCalls(nodeSql(database));
  engine.create(newCoupon(2, { name: "promo" }), "epoch", T0);
  engine.claimAll([{ userId: "ada", key: "key-ada", attemptId: "1" }], Date.parse(AT));
  const before = [readFileSync(state.file("promo")), readFileSync(`${state.file("promo")}-wal`)];
  expect(await storedClaims(state.folder)).toEqual(file(claim(ada, 1)));
  expect([readFileSync(state.file("promo")), readFileSync(`${state.file("promo")}-wal`)]).toEqual(before);

  engine.claimAll([{ userId: "bob", key: "key-bob", attemptId: "2" }], Date.parse(LATER));
  expect(await storedClaims(state.folder)).toEqual(file(claim(ada, 1), claim(bob, 2, LATER)));
});

test("a file that can't be read is named, and the others are read all the same", async () => {
  const state = newState();
  onTestFinished(state.remove);
  const database = new DatabaseSync(state.file("promo"));
  onTestFinished(() => database.close());
  const engine = new EngineCalls(nodeSql(database));
  engine.create(newCoupon(2, { name: "promo" }), "epoch", T0);
  engine.claimAll([{ userId: "ada", key: "key-ada", attemptId: "1" }], Date.parse(AT));
  writeFileSync(state.file("broken"), "no database at all, but long enough to be taken for one".repeat(20));
  const { claims, unreadable } = await storedClaims(state.folder);
  expect(claims).toEqual(file(claim(ada, 1)).claims);
  expect(unreadable).toEqual([`${basename(state.file("broken"))} can't be read: file is not a database`]);
});
