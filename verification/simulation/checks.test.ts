// The check of time by hand: in a run, other rules may find the same bugs first.

import { describe, expect, test } from "vitest";

import type { Answer, LedgerEvent } from "../model/types.ts";
import type { Recorded } from "./network.ts";
import { timeFault } from "./time-check.ts";

const CREATED: LedgerEvent = { kind: "created", seq: 1, at: 0, userId: null, position: null };
const CHANGED: LedgerEvent = { kind: "changed", seq: 2, at: 5, userId: null, position: null };

function answered(endedAt: number, answer: Partial<Answer>): Recorded {
  const whole = { is: "found", seq: 1, incarnation: 1, ...answer } as Answer;
  return { call: { kind: "read" }, client: "c", startedAt: 0, endedAt, clockFrom: 0, clockUntil: null, attempt: null, answer: whole };
}

describe("a sale goes on only forward", () => {
  test.for([
    ["a look that finds it open after it was over", { state: "ended" }, { state: "open" }, "over, and then, at seq 1, to be open"],
    ["a look that finds it yet to come after it was open", { state: "open" }, { state: "scheduled" }, "open, and then"],
    ["a claim that is answered so", { is: "sale_ended" }, { is: "out_of_stock" }, "over, and then"],
  ] as const)("%s", ([, first, then, sentence]) => {
    expect(timeFault([answered(10, first), answered(20, then)], [CREATED])).toContain(sentence);
    expect(timeFault([answered(10, then), answered(20, first)], [CREATED])).toBeNull();
  });

  test("unless it was changed in between, or is another incarnation's", () => {
    expect(timeFault([answered(10, { state: "ended" }), answered(20, { state: "open", seq: 2 })], [CREATED, CHANGED])).toBeNull();
    expect(timeFault([answered(10, { state: "ended" }), answered(20, { state: "open", incarnation: 2 })], [CREATED, CREATED])).toBeNull();
  });
});
