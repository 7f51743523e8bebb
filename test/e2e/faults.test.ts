// Histories of a real server with faults: the product's are linearizable, those of planted bugs are not.

import { afterAll, beforeAll, expect, test } from "vitest";

import { HOOKED, BUGGY, BUGS, runRounds } from "../../verification/faults/rounds.ts";
import { build, removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";

const seed = Math.floor(Math.random() * 2 ** 31);
const { signal } = new AbortController();
let folder: string;

beforeAll(async () => {
  folder = await scratchFolder("faults-test");
  console.log(`seed ${seed}`);
});

afterAll(() => removeScratch(folder));

test("histories of two isolates are linearizable while network, objects and server fail", async () => {
  const bundle = await build(HOOKED, folder);
  const { totals, wrong } = await runRounds({ histories: 16, seed, bundle, folder, signal, onJudged: () => undefined });
  expect(wrong.map(({ text }) => text)).toEqual([]);
  expect(totals["histories"]).toBe(16);
  // Faults did occur, and the edge did refuse.
  expect(totals["answers.unknown"]).toBeGreaterThan(20);
  expect(totals["refusals at the edge"]).toBeGreaterThan(20);
  expect((totals["objects.abort"] ?? 0) + (totals["objects.evict"] ?? 0)).toBeGreaterThan(5);
});

test("the histories of a server find each planted bug", async () => {
  const bundle = await build(BUGGY, folder);
  const found: string[] = [];
  for (const bug of BUGS) {
    const { wrong } = await runRounds({
      // It ends with the first round that finds the bug.
      histories: 96,
      seed,
      bundle,
      folder,
      vars: { BUG: bug },
      signal,
      onJudged: () => undefined,
    });
    if (wrong.length > 0) found.push(bug);
  }
  expect(found).toEqual(BUGS);
});
