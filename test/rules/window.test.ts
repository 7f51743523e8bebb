// When a sale is open: the half-open window, and a clock that never goes back.

import { describe, expect, test } from "vitest";

import { asks, contents, crowd, EngineCalls, expectConserved, newCoupon, opened, outcomes, readCold, storedClaims, T0 } from "./coupon.ts";
import { nodeSql } from "./node-sql.ts";

const HOUR = 3_600_000;
const START = T0 + 1000;
const END = T0 + 2000;

describe("the sale window", () => {
  test.for([
    [START - 1, "sale_not_started", "scheduled"],
    [START, "granted", "open"],
    [END - 1, "granted", "open"],
    [END, "sale_ended", "ended"],
    [END + 1, "sale_ended", "ended"],
  ] as const)("starts_at <= now < ends_at: at %i a claim gets %s", ([now, outcome, state]) => {
    const { engine } = opened(5, { startsAt: START, endsAt: END });
    expect(engine.read({ claimedBy: false }, now)).toMatchObject({ coupon: { state } });
    expect(outcomes(engine.claimAll(crowd(1), now))).toEqual([outcome]);
  });

  test("names its start, and how far that is, in an early refusal", () => {
    const { engine, sql } = opened(5, { startsAt: START });
    const before = contents(sql);
    expect(engine.claimAll(crowd(1), START - 250)).toEqual([
      { ok: false, code: "sale_not_started", startsAt: START, startsInMs: 250, seq: 1 },
    ]);
    expect(contents(sql)).toEqual(before);
  });

  test.for([
    ["no end", { startsAt: START }, Number.MAX_SAFE_INTEGER, "granted"],
    ["no start", { endsAt: END }, T0, "granted"],
    ["no start, after its end", { endsAt: END }, END, "sale_ended"],
    ["neither", {}, T0, "granted"],
  ] as const)("with %s is open on that side", ([, window, now, outcome]) => {
    expect(outcomes(opened(5, window).engine.claimAll(crowd(1), now))).toEqual([outcome]);
  });

  test.for([
    ["ended", 1, T0 + 1, T0, 1],
    ["scheduled", 1, T0 + 1, null, 1],
    ["paused", 1, null, null, 1],
    ["sold_out", 1, null, null, 0],
    ["open", 2, null, null, 0],
  ] as const)("where several states fit, %s comes before the rest", ([state, amount, startsAt, endsAt, paused]) => {
    const { engine, sql } = opened(amount);
    engine.claimAll(crowd(1), T0);
    sql.all("UPDATE coupon SET starts_at = ?, ends_at = ?, paused = ?", startsAt, endsAt, paused);
    expect(readCold(sql)).toMatchObject({ coupon: { state } });
  });
});

describe("a clock that was set back", () => {
  test("does not reopen what had started: the latest instant that was acted upon counts", () => {
    const { engine, sql } = opened(5, { startsAt: START });
    expect(outcomes(engine.claimAll([asks("ann")], START + 10))).toEqual(["granted"]);
    expect(outcomes(engine.claimAll([asks("bob")], START - 500))).toEqual(["granted"]);
    expect(engine.read({ claimedBy: false }, START - 500)).toMatchObject({ coupon: { state: "open", clockAt: START + 10 } });
    expect(storedClaims(sql).map(({ claimed_at }) => claimed_at)).toEqual([START + 10, START + 10]);
    expectConserved(sql, 2);
  });

  test("counts after a cold start as well", () => {
    const { engine, sql } = opened(5, { startsAt: START });
    engine.claimAll([asks("ann")], START + 10);
    expect(outcomes(new EngineCalls(sql).claimAll([asks("bob")], START - 500))).toEqual(["granted"]);
    expect(storedClaims(sql).map(({ claimed_at }) => claimed_at)).toEqual([START + 10, START + 10]);
  });

  test("does not reopen a sale that was answered as ended, even after a restart", () => {
    const { engine, sql } = opened(5, { endsAt: END });
    expect(outcomes(engine.claimAll([asks("late")], END))).toEqual(["sale_ended"]);
    expect(outcomes(engine.claimAll([asks("later")], END - 1))).toEqual(["sale_ended"]);
    expect(outcomes(new EngineCalls(sql).claimAll([asks("latest")], END - 1))).toEqual(["sale_ended"]);
    expect(readCold(sql, T0)).toMatchObject({ coupon: { state: "ended" } });
    expectConserved(sql, 0);
  });

  test("is not lowered in storage by an engine whose memory is behind", () => {
    const { engine, sql } = opened(5);
    sql.all("UPDATE coupon SET clock_at = ?", T0 + HOUR);
    engine.claimAll([asks("ann")], T0 + 5);
    expect(sql.all("SELECT clock_at FROM coupon")).toEqual([{ clock_at: T0 + HOUR }]);
  });

  test("never dates a claim before the coupon's own creation", () => {
    const { engine, sql } = opened(5);
    engine.claimAll([asks("ann")], T0 - 1_000_000);
    expect(storedClaims(sql).map(({ claimed_at }) => claimed_at)).toEqual([T0]);
    expect(sql.all("SELECT count(*) AS late FROM ledger WHERE at < (SELECT at FROM ledger WHERE seq = 1)")).toEqual([{ late: 0 }]);
  });

  test("leaves a ledger whose instants never fall", () => {
    const { engine, sql } = opened(50);
    for (const [index, now] of [5, 3, 9, -100, 9, 8, 20, 0].entries()) engine.claimAll(crowd(3, `batch-${index}`), T0 + now);
    const instants = sql.all<{ at: number }>("SELECT at FROM ledger ORDER BY seq").map(({ at }) => at);
    expect(instants).toEqual([...instants].sort((a, b) => a - b));
    expect(instants.at(-1)).toBe(T0 + 20);
    expectConserved(sql, 24);
  });
});

test("a sale may be over before it was created", () => {
  const sql = nodeSql();
  const engine = new EngineCalls(sql);
  expect(engine.create(newCoupon(1, { endsAt: T0 - 1 }), "epoch-1", T0)).toMatchObject({ ok: true, coupon: { state: "ended" } });
  expect(outcomes(engine.claimAll(crowd(1), T0))).toEqual(["sale_ended"]);
});
