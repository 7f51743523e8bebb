// The crash command with few kills.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { runCommand } from "./command.ts";

test("three kills lose no claim of the product and some of the control", async () => {
  const folder = await mkdtemp(join(tmpdir(), "doorbuster-crash-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const json = join(folder, "crash.json");
  const { code, out } = await runCommand("crash/run.ts", ["--kills", "3", "--seed", "1", "--json", json]);

  expect([code, out]).toEqual([0, expect.stringMatching(/^✓ passed$/m)]);
  const { product, control, ...run } = JSON.parse(await readFile(json, "utf8"));
  expect(run).toMatchObject({ isPassed: true, seed: 1, failures: [], faults: [], lostRateBelow: 3 / 1_800 });
  const exact = { kills: 3, idleKills: 0, acknowledged: 1_800, lost: 0, duplicates: 0, unacknowledged: 0, coupons: 3, couponsExact: 3 };
  expect(product).toMatchObject({ ...exact, checksNotPassed: 0 });
  expect(product.found).toBe(product.foundReplayed + product.foundAgain);
  expect(product.missing).toBe(product.missingGranted + product.missingRefused + product.missingAgain);
  expect([control.lost > 0, control.receiptChecksFailed > 0]).toEqual([true, true]);
});

test("three power cuts lose no claim of the product and some on a lying disk", async () => {
  const { code, out } = await runCommand("crash/run.ts", ["--power", "--kills", "3", "--seed", "1"]);
  expect(code).toBe(0);
  // Without Linux, root or loop devices it says so and passes.
  const skipped = "^skipped: needs root and a loop device";
  for (const line of [
    "^  LOST +0 +[1-9]",
    "^coupons at exactly their amount +3 of 3 ",
    "^[1-4] of 4 cuts of the power met unsynced",
    "^✓ passed$",
  ])
    expect(out).toMatch(new RegExp(`${line}|${skipped}`, "m"));
});
