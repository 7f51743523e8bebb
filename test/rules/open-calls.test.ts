// The open calls of an isolate: each coupon's own, and none that a caller who has left keeps open.

import { expect, test } from "vitest";

import { CALL_DEADLINE_MS } from "../../src/domain/limits.ts";
import { countOpen, openCount } from "../../src/edge/open-calls.ts";

test("open calls are counted for each coupon, until each has ended", () => {
  const ends = [countOpen("a", 1), countOpen("a", 2), countOpen("b", 3)];
  expect(["a", "b", "c"].map((name) => openCount(name, 4))).toEqual([2, 1, 0]);
  ends.map((end) => end());
  expect(["a", "b"].map((name) => openCount(name, 5))).toEqual([0, 0]);
});

test.for([
  ["within its deadline", CALL_DEADLINE_MS - 1, 2],
  ["within two deadlines", 2 * CALL_DEADLINE_MS - 1, 2],
  ["after two deadlines", 2 * CALL_DEADLINE_MS, 0],
  ["hours later", 1000 * CALL_DEADLINE_MS, 0],
  ["once the clock goes back", -1, 0],
] as const)("%s, at %i ms, %i of two calls without an end are open", ([, afterMs, count]) => {
  const start = 10_000 * CALL_DEADLINE_MS;
  // An isolate that had nothing to do begins a generation with its next call.
  openCount("left", start - 10 * CALL_DEADLINE_MS);
  countOpen("left", start);
  countOpen("left", start);
  expect(openCount("left", start + afterMs)).toBe(count);
  openCount("left", 0);
});

test("the late end of a forgotten call uncounts no other call", () => {
  const endLate = countOpen("late", CALL_DEADLINE_MS);
  countOpen("late", 4 * CALL_DEADLINE_MS);
  endLate();
  expect(openCount("late", 4 * CALL_DEADLINE_MS)).toBe(1);
});
