// What the sale page says: the stage of a sale at an instant, its milestones, and its countdown.

import { expect, test } from "vitest";

import { countdownText, count, milestoneOf, saleView, type Milestone, type SaleFacts, type Stage } from "../../src/web/sale-view.ts";

const NOW = 1_000_000;
const FACTS: SaleFacts = { state: "open", amount: 500, remaining: 500, held: 0, startsAt: null, endsAt: null };

test.for<[stage: Stage, facts: Partial<SaleFacts>, canBuy: boolean, countsTo: number | null]>([
  ["scheduled", { state: "scheduled", startsAt: NOW + 1, endsAt: NOW + 9 }, false, NOW + 1],
  ["opening", { state: "scheduled", startsAt: NOW }, false, null],
  ["open", {}, true, null],
  ["open", { remaining: 51, endsAt: NOW + 9 }, true, NOW + 9],
  ["nearly_gone", { remaining: 50, endsAt: NOW + 9 }, true, NOW + 9],
  ["nearly_gone", { amount: 5, remaining: 3 }, true, null],
  ["open", { amount: 1, remaining: 1 }, true, null],
  ["open", { amount: 5, remaining: 4 }, true, null],
  ["all_held", { state: "sold_out", remaining: 0, held: 1 }, false, null],
  ["sold_out", { state: "sold_out", remaining: 0, endsAt: NOW + 9 }, false, null],
  ["paused", { state: "paused", endsAt: NOW + 9 }, false, NOW + 9],
  ["ended", { state: "ended" }, false, null],
  // The server's next message says so too.
  ["ended", { endsAt: NOW }, false, null],
  ["archived", { state: "archived", endsAt: NOW }, false, null],
])("a sale is shown as %s with %o: can buy %s, counts to %s", ([stage, facts, canBuy, countsTo]) => {
  const view = saleView({ ...FACTS, ...facts }, NOW);
  expect([view.stage, view.canBuy, view.countdown?.to ?? null]).toEqual([stage, canBuy, countsTo]);
});

test.for<[before: Stage, after: Stage, milestone: Milestone | null]>([
  ["scheduled", "opening", null],
  ["scheduled", "open", "opened"],
  ["opening", "nearly_gone", "opened"],
  ["open", "open", null],
  ["open", "nearly_gone", "nearly_gone"],
  ["nearly_gone", "open", null],
  ["open", "all_held", "all_held"],
  ["all_held", "sold_out", "sold_out"],
  ["sold_out", "nearly_gone", "back"],
  ["all_held", "open", "back"],
  ["open", "paused", "paused"],
  ["paused", "open", "resumed"],
  ["paused", "ended", "ended"],
  ["open", "archived", "ended"],
])("the step from %s to %s is the milestone %s, and is said once", ([before, after, milestone]) => {
  expect(milestoneOf(before, after, new Set())).toBe(milestone);
  expect(milestoneOf(before, after, new Set(milestone === null ? [] : [milestone]))).toBeNull();
});

test.for([
  [-5, "00:00"],
  [0, "00:00"],
  [1, "00:01"],
  [59_001, "01:00"],
  [3_600_000, "01:00:00"],
  [86_399_999, "1 d 00:00:00"],
  [93_784_000, "1 d 02:03:04"],
] as const)("a countdown with %i ms left shows %s", ([restMs, text]) => {
  expect(countdownText(restMs)).toBe(text);
});

test("a count has commas at each thousand", () => {
  expect([0, 999, 1000, 2_147_483_647].map(count)).toEqual(["0", "999", "1,000", "2,147,483,647"]);
});
