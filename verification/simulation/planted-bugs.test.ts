// Every planted bug is found, by a kept plan that is as small as possible.

import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import type { Plan } from "./plan.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { failureText } from "./report.ts";
import { simulate } from "./simulate.ts";

/** A plan is a list of choices, not a seed: it keeps its meaning when the drawing changes. */
type Kept = { readonly bug: string; readonly rule: string; readonly plan: Plan };
const KEPT = JSON.parse(readFileSync(new URL("./kept-plans.json", import.meta.url), "utf8")) as Kept[];

test("every planted bug has a kept plan", () => {
  expect(KEPT.map(({ bug }) => bug).toSorted()).toEqual(Object.keys(PLANTED_BUGS).toSorted());
});

test("the kept plans break no promise of the product", async () => {
  const { failures, doneCount } = await simulate({ from: 1, count: KEPT.length, plans: KEPT.map(({ plan }) => plan) });
  expect(failures.map(failureText)).toEqual([]);
  expect(doneCount).toBe(KEPT.length);
});

describe("kept plans", { concurrent: true }, () => {
  test.for(KEPT.map((kept) => [kept.bug, kept] as const))(
    "the planted bug %s is found by its kept plan",
    async ([bug, { plan, rule }], { expect: expectHere }) => {
      const { failures } = await simulate({ from: 1, count: 1, plans: [plan], bug, isQuick: true });
      expectHere(failures.map(({ breach }) => breach.rule)).toEqual([rule]);
    },
  );
});

test.for([
  "lease-ignored",
  "stamp-at-commit",
  "second-door",
  "users-not-unique",
  "retry-of-anything",
  "replay-hidden",
  "erased-user-claims-again",
  "restore-drops-holds",
])("the planted bug %s is found among 1,000 random histories", async (bug) => {
  const { failures } = await simulate({ from: 1, count: 1_000, bug, failuresMax: 1, isQuick: true });
  expect(failures).toHaveLength(1);
});
