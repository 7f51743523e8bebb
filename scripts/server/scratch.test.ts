// Scratch folders, which several commands and tests create and remove at the same time.

import { expect, test } from "vitest";

import { removeScratch, scratchFolder } from "./workerd.ts";

test("a scratch folder is created while others are removed with their parent", async () => {
  const makers = Array.from({ length: 50 }, async (_, index) => {
    for (let round = 0; round < 20; round += 1) await removeScratch(await scratchFolder(`maker-${index}`));
    return index;
  });
  expect(await Promise.all(makers)).toHaveLength(50);
});
