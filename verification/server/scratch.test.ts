// Folders for what a command needs while it runs: several commands, and tests, make and remove them at the same time.

import { expect, test } from "vitest";

import { removeScratch, scratchFolder } from "./workerd.ts";

test("a folder is made although others remove theirs, and the parent with the last of them", async () => {
  const makers = Array.from({ length: 50 }, async (_, index) => {
    for (let round = 0; round < 20; round += 1) await removeScratch(await scratchFolder(`maker-${index}`));
    return index;
  });
  expect(await Promise.all(makers)).toHaveLength(50);
});
