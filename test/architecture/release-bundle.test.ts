// The hooks that inject faults are in the build for fault tests, and not in a release.

import { readFileSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "vitest";

import { HOOKED } from "../../verification/faults/rounds.ts";
import { build, PRODUCT, removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";

/** Words that only the hooks contain. */
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

test("a release bundle has none of the fault hooks, and a build with hooks has all", async () => {
  const [inRelease, inHooked] = await Promise.all([wordsIn(PRODUCT), wordsIn(HOOKED)]);
  // A word of the product shows that its bundle was read.
  expect(inRelease).toEqual(["coupon_not_found"]);
  expect(inHooked).toEqual([...HOOKS, "coupon_not_found"]);
});
