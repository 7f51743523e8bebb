// Histories of a real server whose network, objects and process break: the product's are linearizable, and those of a server with a mistake are not.

import { afterAll, beforeAll, expect, test } from "vitest";

import { HOOKED, MISTAKEN, MISTAKES, runRounds } from "../../proof/faults/rounds.ts";
import { build, removeScratch, scratchFolder } from "../../proof/server/workerd.ts";

const seed = Math.floor(Math.random() * 2 ** 31);
const { signal } = new AbortController();
let folder: string;

beforeAll(async () => {
  folder = await scratchFolder("faults-test");
  console.log(`seed ${seed}`);
});

afterAll(() => removeScratch(folder));

test("the product's histories are linearizable, with all that breaks", async () => {
  const bundle = await build(HOOKED, folder);
  const { totals, wrong } = await runRounds({ histories: 12, seed, bundle, folder, signal, onJudged: () => undefined });
  expect(wrong.map(({ story }) => story)).toEqual([]);
  expect(totals.histories).toBe(12);
  // Something did break.
  expect(totals.unknown).toBeGreaterThan(20);
  expect(totals.aborts + totals.evictions).toBeGreaterThan(5);
});

test("a server with a mistake is found out", async () => {
  const bundle = await build(MISTAKEN, folder);
  const found: string[] = [];
  for (const mistake of MISTAKES) {
    const { wrong } = await runRounds({
      histories: 8,
      seed,
      bundle,
      folder,
      vars: { MISTAKE: mistake },
      signal,
      onJudged: () => undefined,
    });
    if (wrong.length > 0) found.push(mistake);
  }
  expect(found).toEqual(MISTAKES);
});
