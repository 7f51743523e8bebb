// Which state a viewer saw at a seq, as far as an isolate knows.

import { expect, test } from "vitest";

import type { SaleState } from "../../src/domain/coupon.ts";
import { STREAM_GAP_MS } from "../../src/domain/limits.ts";
import { stateIn, type StateRun } from "../../src/edge/known-states.ts";

const NOW = 1_000_000;
const AGO = NOW - STREAM_GAP_MS;

function run(state: SaleState, firstSeq: number, lastSeq: number, untilAt: number): StateRun {
  return { epoch: "e", state, firstSeq, lastSeq, untilAt };
}

test.for<[about: string, runs: readonly StateRun[], seq: number, expected: SaleState | null]>([
  ["no state is known", [], 1, null],
  ["the seq is newer", [run("open", 1, 3, Infinity)], 4, null],
  ["the seq was not read", [run("open", 1, 3, AGO), run("paused", 5, 5, Infinity)], 4, null],
  ["the state has changed long ago", [run("open", 1, 3, 0), run("paused", 4, 4, Infinity)], 2, "open"],
  ["time has changed it just now", [run("scheduled", 1, 1, AGO + 1), run("open", 1, 4, Infinity)], 1, "scheduled"],
  ["time has changed it long ago", [run("scheduled", 1, 1, AGO), run("open", 1, 4, Infinity)], 1, "open"],
])("the last state of a viewer, when %s, is known or null", ([, runs, seq, expected]) => {
  expect(stateIn(runs, seq, NOW)).toBe(expected);
});
