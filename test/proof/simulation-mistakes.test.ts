// The simulation finds what is wrong: mistakes that are planted on purpose, each by the rule that it breaks.

import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { MISTAKES } from "../../proof/simulation/mistakes.ts";
import { failureText } from "../../proof/simulation/report.ts";
import { simulate } from "../../proof/simulation/simulate.ts";

/**
 * Seeds that found something, kept: what they found, by which rule, in a product with which mistake; null where it was the product
 * as it was then. With its mistake planted again a seed keeps its meaning when the generator changes.
 */
type Kept = { readonly seed: number; readonly mistake: string | null; readonly rule: string; readonly found: string };
const KEPT = JSON.parse(readFileSync(new URL("../../proof/simulation/regression-seeds.json", import.meta.url), "utf8")) as Kept[];

/** Far more than any of them needs. */
const HISTORIES_MAX = 6_000;

describe.for(Object.entries(MISTAKES))("%s", ([mistake, { fault }]) => {
  test(`is found: ${fault}`, async () => {
    const { failures } = await simulate({ from: 1, count: HISTORIES_MAX, mistake, failuresMax: 1 });
    const [failure] = failures;
    expect(failures).toHaveLength(1);
    expect(failure?.steps).toBeLessThanOrEqual(8);
  });
});

test.for(KEPT)("seed $seed finds nothing in the product any more: $found", async ({ seed }) => {
  const { failures } = await simulate({ from: seed, count: 1 });
  expect(failures.map(failureText)).toEqual([]);
});

test.for(KEPT.flatMap((kept) => (kept.mistake === null ? [] : [{ ...kept, mistake: kept.mistake }])))(
  "seed $seed still finds $mistake: $found",
  async ({ seed, mistake, rule }) => {
    const { failures } = await simulate({ from: seed, count: 1, mistake });
    expect(failures.map(({ breach }) => breach.rule)).toEqual([rule]);
  },
);
