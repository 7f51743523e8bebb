// When a sale is open: the half-open window, and a clock that never goes back.

import { expect, test } from "vitest";

import { asks, contents, EngineCalls, expectConserved, opened, outcomes, readCold, storedClaims, T0 } from "./coupon.ts";

const START = T0 + 1000;
const END = T0 + 2000;

function instantsOfClaims(sql: Parameters<typeof storedClaims>[0]): number[] {
  return storedClaims(sql).map(({ claimed_at }) => claimed_at - T0);
}

test.for([
  [999, "sale_not_started", "scheduled"],
  [1000, "granted", "open"],
  [1999, "granted", "open"],
  [2000, "sale_ended", "ended"],
  [2001, "sale_ended", "ended"],
] as const)("in a sale from 1000 to 2000 ms a claim at %i ms gets %s", ([afterMs, outcome, state]) => {
  const { engine } = opened(5, { startsAt: START, endsAt: END });
  expect(engine.read({ claimedBy: false }, T0 + afterMs)).toMatchObject({ coupon: { state } });
  expect(outcomes(engine.claimAll([asks("ann")], T0 + afterMs))).toEqual([outcome]);
});

test("a claim before the start gets the start and its distance, and stores nothing", () => {
  const { engine, sql } = opened(5, { startsAt: START });
  const before = contents(sql);
  const refusal = { ok: false, code: "sale_not_started", startsAt: START, startsInMs: 250, seq: 1 };
  expect(engine.claimAll([asks("ann")], START - 250)).toEqual([refusal]);
  expect(contents(sql)).toEqual(before);
});

test.for([
  ["without an end", { startsAt: START }, Number.MAX_SAFE_INTEGER, "granted"],
  ["without a start", { endsAt: END }, T0, "granted"],
  ["without a start and behind its end", { endsAt: END }, END, "sale_ended"],
  ["without a start and an end", {}, T0, "granted"],
  ["created after its end", { endsAt: T0 - 1 }, T0, "sale_ended"],
] as const)("a claim in a sale %s (%o) at %i gets %s", ([, window, now, outcome]) => {
  expect(outcomes(opened(5, window).engine.claimAll([asks("ann")], now))).toEqual([outcome]);
});

test.for([
  ["archived", 1, T0 + 1, T0, 1, T0],
  ["ended", 1, T0 + 1, T0, 1, null],
  ["scheduled", 1, T0 + 1, null, 1, null],
  ["paused", 1, null, null, 1, null],
  ["sold_out", 1, null, null, 0, null],
  ["open", 2, null, null, 0, null],
] as const)("a coupon to which several states apply is %s first", ([state, amount, startsAt, endsAt, paused, archivedAt]) => {
  const { engine, sql } = opened(amount);
  engine.claimAll([asks("ann")], T0);
  sql.all("UPDATE coupon SET starts_at = ?, ends_at = ?, paused = ?, archived_at = ?", startsAt, endsAt, paused, archivedAt);
  expect(readCold(sql)).toMatchObject({ coupon: { state } });
});

test.for([
  ["a warm", false],
  ["a restarted", true],
] as const)("%s engine whose clock was set back before the start still grants", ([, isCold]) => {
  const { engine, sql } = opened(5, { startsAt: START });
  expect(outcomes(engine.claimAll([asks("ann")], START + 10))).toEqual(["granted"]);
  const next = isCold ? new EngineCalls(sql) : engine;
  expect(outcomes(next.claimAll([asks("bob")], START - 500))).toEqual(["granted"]);
  expect(next.read({ claimedBy: false }, START - 500)).toMatchObject({ coupon: { state: "open", clockAt: START + 10 } });
  expect(instantsOfClaims(sql)).toEqual([1010, 1010]);
  expectConserved(sql, 2);
});

test("a sale that was answered as ended stays ended after a set-back clock and a restart", () => {
  const { engine, sql } = opened(5, { endsAt: END });
  expect(outcomes(engine.claimAll([asks("late")], END))).toEqual(["sale_ended"]);
  expect(outcomes(engine.claimAll([asks("later")], END - 1))).toEqual(["sale_ended"]);
  expect(outcomes(new EngineCalls(sql).claimAll([asks("latest")], END - 1))).toEqual(["sale_ended"]);
  expect(readCold(sql, T0)).toMatchObject({ coupon: { state: "ended" } });
});

test("an engine whose memory is behind does not lower the stored clock", () => {
  const { engine, sql } = opened(5);
  sql.all("UPDATE coupon SET clock_at = ?", T0 + 3_600_000);
  engine.claimAll([asks("ann")], T0 + 5);
  expect(sql.all("SELECT clock_at - ? AS ahead FROM coupon", T0)).toEqual([{ ahead: 3_600_000 }]);
});
