// What tests break objects with is not in a release, and is in the build that they use.

import { readFileSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "vitest";

import { HOOKED } from "../../verification/faults/rounds.ts";
import { build, PRODUCT, removeScratch, scratchFolder } from "../../verification/server/workerd.ts";

/** Words that only the hooks have. */
const HOOKS = ["__faults", "abortByFault", "ledger_removed", "workerd:unsafe"];

let folder: string;

beforeAll(async () => {
  folder = await scratchFolder("bundles");
});

afterAll(() => removeScratch(folder));

async function wordsIn(entry: string): Promise<string[]> {
  const bundle = readFileSync(await build(entry, folder), "utf8");
  return [...HOOKS, "coupon_not_found"].filter((word) => bundle.includes(word));
}

test("a release has none of the hooks' words, and a build with the hooks has all of them", async () => {
  const [inRelease, inHooked] = await Promise.all([wordsIn(PRODUCT), wordsIn(HOOKED)]);
  // A word of the product's own shows that its bundle was read.
  expect(inRelease).toEqual(["coupon_not_found"]);
  expect(inHooked).toEqual([...HOOKS, "coupon_not_found"]);
});
