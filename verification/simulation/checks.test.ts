// The check of time by hand: in a run, other rules may find the same bugs first.

import { expect, test } from "vitest";

import type { Answer, LedgerEvent } from "../model/types.ts";
import type { Recorded } from "./network.ts";
import { timeFault } from "./time-check.ts";

const CREATED: LedgerEvent = { kind: "created", seq: 1, at: 0, userId: null, position: null };
const CHANGED: LedgerEvent = { kind: "changed", seq: 2, at: 5, userId: null, position: null };

const ARCHIVED: LedgerEvent = { ...CHANGED, kind: "archived" };

function answered(endedAt: number, answer: Partial<Answer>): Recorded {
  const whole = { is: "found", seq: 1, incarnation: 1, ...answer } as Answer;
  return { call: { kind: "read" }, client: "c", startedAt: 0, endedAt, clockFrom: 0, clockUntil: null, attempt: null, answer: whole };
}

test.for<readonly [name: string, first: Partial<Answer>, then: Partial<Answer>, events: readonly LedgerEvent[], fault: string | null]>([
  [
    "a sale that is open after it ended is a fault",
    { state: "ended" },
    { state: "open" },
    [CREATED],
    "over, and then, at seq 1, to be open",
  ],
  ["a sale that is open before it ends is right", { state: "open" }, { state: "ended" }, [CREATED], null],
  ["a sale that is scheduled after it was open is a fault", { state: "open" }, { state: "scheduled" }, [CREATED], "open, and then"],
  ["a claim after the end that is not refused so is a fault", { is: "sale_ended" }, { is: "out_of_stock" }, [CREATED], "over, and then"],
  ["a change may open an ended sale", { state: "ended" }, { state: "open", seq: 2 }, [CREATED, CHANGED], null],
  ["an answer from before an archive may come after it", { state: "archived", seq: 2 }, { is: "out_of_stock" }, [CREATED, ARCHIVED], null],
  ["another incarnation may be open", { state: "ended" }, { state: "open", incarnation: 2 }, [CREATED, CREATED], null],
])("%s", ([, first, then, events, fault]) => {
  expect(timeFault([[answered(10, first)], [answered(20, then)]], events) ?? "right").toContain(fault ?? "right");
});
