// The account of the crash test finds each way in which a claim can go wrong.

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { describe, expect, onTestFinished, test } from "vitest";

import type { Answer } from "../client/coupon-client.ts";
import { seeded } from "../random.ts";
import { newState } from "../verify/state.fixture.ts";
import { EngineCalls, newCoupon, T0 } from "../../test/rules/coupon.ts";
import { nodeSql } from "../../test/rules/node-sql.ts";
import { Account, type Caller, type Stored, type StoredClaim } from "./accounting.ts";
import { failuresOf, newCounters, type Counters } from "./counters.ts";
import { boundOf } from "./report.ts";
import { drawSale } from "./sale.ts";
import { storedClaims } from "./stored.ts";

const AT = "2026-11-27T09:00:00.000Z";
const LATER = "2026-11-27T09:00:00.001Z";
const AMOUNTS = new Map([["promo", 2]]);

const ada: Caller = { coupon: "promo", userId: "ada", key: "key-ada" };
const bob: Caller = { coupon: "promo", userId: "bob", key: "key-bob" };
const eve: Caller = { coupon: "promo", userId: "eve", key: "key-eve" };

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

/** Ada gets position 1 at `answeredAtMs`. Bob is unanswered when the kill comes at 1,000. */
function killedBeforeBobsAnswer(stored: Stored, answeredAtMs = 500): { readonly account: Account; readonly left: readonly Caller[] } {
  const account = new Account([ada, bob]);
  account.asked(ada);
  account.asked(bob);
  account.answered(ada, granted(ada, 1), answeredAtMs);
  return { account, left: account.killed(stored, 1_000) };
}

function retried(account: Account, answer: Answer): void {
  account.asked(bob);
  account.answered(bob, answer, 2_000);
}

test("after a kill a stored receipt is right, and the unanswered caller asks again", () => {
  const { account, left } = killedBeforeBobsAnswer(file(claim(ada, 1)));
  expect([left, account.faults]).toEqual([[bob], []]);
  expect(account.counters).toEqual({ ...newCounters(), kills: 1, acknowledged: 1, missing: 1 });
});

test.for([
  ["missing", file()],
  ["stored at another position", file(claim(ada, 2))],
  ["stored at another instant", file(claim(ada, 1, LATER))],
  ["in a missing file", { claims: new Map(), unreadable: [] }],
  ["in an unreadable file", { claims: new Map(), unreadable: ["7.sqlite is malformed"] }],
] as const)("an acknowledged claim that is %s counts as lost once", ([, stored]) => {
  const { account } = killedBeforeBobsAnswer(stored);
  expect(account.faults).toHaveLength(1 + stored.unreadable.length);
  account.killed(stored, 2_000);
  expect(account.counters.lost).toBe(1);
  expect(account.faults.join()).toContain("ada got position 1");
});

test("a claim acknowledged in the last 20 ms before a kill counts as late", () => {
  const late = [980, 981].map((atMs) => killedBeforeBobsAnswer(file(claim(ada, 1)), atMs).account.counters.late);
  expect(late).toEqual([0, 1]);
});

test("a kill without a request in flight counts as idle", () => {
  const account = new Account([ada]);
  account.killed(file(), 1_000);
  expect(account.counters).toMatchObject({ kills: 1, idleKills: 1 });
});

test("an unacknowledged claim that disappears at the next kill is a fault", () => {
  const { account } = killedBeforeBobsAnswer(file(claim(ada, 1), claim(bob, 2)));
  account.asked(bob);
  account.killed(file(claim(ada, 1)), 2_000);
  expect(account.counters).toMatchObject({ found: 1, foundAgain: 1, missing: 1 });
  expect(account.faults).toEqual([`promo: bob had position 2 at ${AT} in the file, and lost it`]);
});

describe("a stored, unanswered claim", () => {
  const stored = file(claim(ada, 1), claim(bob, 2));

  test("a retry of a stored, unanswered claim is right as a replay of it", () => {
    const { account } = killedBeforeBobsAnswer(stored);
    retried(account, granted(bob, 2, { isReplay: true }));
    account.closed(stored, AMOUNTS, []);
    expect(account.faults).toEqual([]);
    expect(account.counters).toMatchObject({ found: 1, foundReplayed: 1, lost: 0, unacknowledged: 0, coupons: 1, couponsExact: 1 });
  });

  test.for([
    ["out_of_stock", outOfStock],
    ["a new claim", granted(bob, 2)],
    ["another position", granted(bob, 3, { isReplay: true })],
    ["another instant", granted(bob, 2, { claimedAt: LATER, isReplay: true })],
    ["another user's claim", granted(ada, 2, { isReplay: true })],
    ["a 503", { status: 503, body: { code: "outcome_unknown" }, seq: null, headers: {} }],
  ] as const)("a retry of a stored, unanswered claim is a fault with %s", ([, answer]) => {
    const { account } = killedBeforeBobsAnswer(stored);
    retried(account, answer);
    expect([account.counters.foundReplayed, account.faults.length]).toEqual([0, 1]);
  });
});

test.for([
  ["right with a new claim", granted(bob, 2), { missingGranted: 1 }, 0],
  ["right with out_of_stock", outOfStock, { missingRefused: 1, refused: 1 }, 0],
  ["a fault with a replay", granted(bob, 2, { isReplay: true }), { missingGranted: 1 }, 1],
] as const)("a retry of a claim that was not stored is %s", ([, answer, counted, faults]) => {
  const { account } = killedBeforeBobsAnswer(file(claim(ada, 1)));
  retried(account, answer);
  expect(account.faults).toHaveLength(faults);
  expect(account.counters).toMatchObject({ missing: 1, ...counted });
});

test.for([
  ["exactly the acknowledged claims are right", [claim(ada, 1), claim(bob, 2)], { couponsExact: 1 }, 0],
  ["a missing claim is lost", [claim(bob, 2)], { lost: 1, couponsExact: 0 }, 2],
  ["a third claim of two units is too many", [claim(ada, 1), claim(bob, 2), claim(eve, 3)], { unacknowledged: 1, couponsExact: 0 }, 1],
  ["two claims of one user are duplicates", [claim(ada, 1), claim(bob, 2), claim({ ...bob, key: "another" }, 3)], { duplicates: 1 }, 2],
  ["two claims of one position are duplicates", [claim(ada, 1), claim(bob, 2), claim(eve, 2)], { duplicates: 1 }, 1],
  ["two claims of one key are duplicates", [claim(ada, 1), claim(bob, 2), claim({ ...bob, userId: "eve" }, 3)], { duplicates: 1 }, 1],
] as const)("at a sale's end %s", ([, claims, counted, faults]) => {
  const { account } = killedBeforeBobsAnswer(file(claim(ada, 1)));
  retried(account, granted(bob, 2));
  account.closed(file(...claims), AMOUNTS, []);
  expect(account.counters).toMatchObject(counted);
  expect(account.faults).toHaveLength(faults);
});

test("a verification that fails or is skipped is a fault", () => {
  const account = new Account([]);
  const check = { coupon: "promo", title: "receipts", detail: "one is missing" } as const;
  account.closed({ claims: new Map(), unreadable: [] }, new Map(), [
    { ...check, number: 1, verdict: "PASS" },
    { ...check, number: 4, verdict: "SKIP" },
    { ...check, number: 8, verdict: "FAIL" },
  ]);
  expect(account.counters).toMatchObject({ checksPassed: 1, checksNotPassed: 2, receiptChecksFailed: 1 });
  expect(account.faults).toHaveLength(2);
});

describe("a run", () => {
  const product = { counters: { ...newCounters(), kills: 1, acknowledged: 1, coupons: 1, couponsExact: 1 }, faults: [] };
  const control = { counters: { ...newCounters(), lost: 1, receiptChecksFailed: 1 }, faults: [] };

  test("a crash run passes when only the control loses claims", () => {
    expect(failuresOf(product, control)).toEqual([]);
  });

  test.for([
    { lost: 1 },
    { duplicates: 1 },
    { unacknowledged: 1 },
    { couponsExact: 0 },
    { checksNotPassed: 1 },
    { found: 1 },
    { acknowledged: 0 },
    { idleKills: 1 },
  ] satisfies Partial<Counters>[])("a crash run fails with %o", (planted) => {
    expect(failuresOf({ ...product, counters: { ...product.counters, ...planted } }, control)).toHaveLength(1);
  });

  test("a crash run fails with a fault, and when the control's losses are unseen", () => {
    const unseen = (counters: Partial<Counters>) => failuresOf(product, { ...control, counters: { ...control.counters, ...counters } });
    expect(failuresOf({ ...product, faults: ["ada got 500"] }, control)).toEqual(["1 faults"]);
    expect([unseen({ lost: 0 }).length, unseen({ receiptChecksFailed: 0 }).length]).toEqual([1, 1]);
  });

  test("a crash run bounds the true rate of losses only when it lost nothing", () => {
    const bounds = [{ acknowledged: 3_000 }, { acknowledged: 3_000, lost: 1 }, {}].map((each) => boundOf({ ...newCounters(), ...each }));
    expect(bounds).toEqual([0.001, null, null]);
  });
});

test("a sale is drawn from its seed, with excess demand and all kills before its end", () => {
  const sale = drawSale(1, 10, seeded(5));
  expect(drawSale(1, 10, seeded(5))).toEqual(sale);
  for (const [coupon, amount] of sale.amounts) {
    expect(sale.callers.filter((caller) => caller.coupon === coupon).length).toBeGreaterThan(amount);
  }
  expect(new Set(sale.callers.map(({ key }) => key)).size).toBe(sale.callers.length);
  const instants = sale.kills.map(({ afterAnswers }) => afterAnswers);
  expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  expect(instants.at(-1)).toBeLessThan(sale.callers.length);
});

test("stored claims include the write-ahead log, leave the files alone, and name unreadable ones", async () => {
  const state = newState();
  onTestFinished(state.remove);
  const database = new DatabaseSync(state.file("promo"));
  onTestFinished(() => database.close());
  database.exec("PRAGMA journal_mode = WAL");
  const engine = new EngineCalls(nodeSql(database));
  engine.create(newCoupon(2, { name: "promo" }), "epoch", T0);
  engine.claimAll([{ userId: "ada", key: "key-ada", attemptId: "1" }], Date.parse(AT));
  const bytes = () => ["", "-wal"].map((ending) => readFileSync(state.file("promo") + ending));
  const before = bytes();
  expect(await storedClaims(state.folder)).toEqual(file(claim(ada, 1)));
  expect(bytes()).toEqual(before);

  writeFileSync(state.file("broken"), "not a database, but long enough to be taken for one".repeat(20));
  const unreadable = [`${basename(state.file("broken"))} can't be read: file is not a database`];
  expect(await storedClaims(state.folder)).toEqual({ ...file(claim(ada, 1)), unreadable });
});
