// The open calls of an isolate: each coupon's own, and none that a caller who has left keeps open.

import { expect, test } from "vitest";

import { CALL_DEADLINE_MS } from "../../src/domain/limits.ts";
import { countOpen, openCount } from "../../src/edge/open-calls.ts";

test("open calls are counted for each coupon, until each has ended", () => {
  const ends = [countOpen("a", 1), countOpen("a", 2), countOpen("b", 3)];
  expect([openCount("a"), openCount("b"), openCount("c")]).toEqual([2, 1, 0]);
  ends.map((end) => end());
  expect([openCount("a"), openCount("b")]).toEqual([0, 0]);
});

test("a call without an end is forgotten; its late end uncounts no other", () => {
  const start = 10 * CALL_DEADLINE_MS;
  const endLate = countOpen("left", start);
  countOpen("left", start + CALL_DEADLINE_MS - 1);
  countOpen("left", start + CALL_DEADLINE_MS);
  expect(openCount("left")).toBe(3);
  countOpen("left", start + 2 * CALL_DEADLINE_MS);
  expect(openCount("left")).toBe(2);
  endLate();
  expect(openCount("left")).toBe(2);
});

test("a clock that goes back keeps no call open longer", () => {
  const start = 20 * CALL_DEADLINE_MS;
  countOpen("back", start);
  countOpen("back", start - 1);
  countOpen("back", start - 1 + CALL_DEADLINE_MS);
  expect(openCount("back")).toBe(2);
});
