// The crash command as it is typed, with few kills: what it prints, and that its control loses claims.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, onTestFinished, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("three kills lose nothing of the product, and the control loses claims", async () => {
  const folder = await mkdtemp(join(tmpdir(), "doorbuster-crash-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const json = join(folder, "crash.json");
  // Rejects where the exit code is not 0.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["verification/crash/run.ts", "--kills", "3", "--seed", "1", "--json", json],
    {
      cwd: ROOT,
    },
  );

  expect(stdout).toMatch(/^seed 1$/m);
  expect(stdout).toMatch(/^kills, each with a restart on the same files +3 +5$/m);
  expect(stdout).toMatch(/^ {2}LOST +0 +[1-9]\d*$/m);
  expect(stdout).toMatch(/^coupons at exactly their amount +3 of 3 /m);
  expect(stdout).toMatch(/^0 of 1,800 acknowledged claims lost: the true rate is below 1\.7e-3 /m);
  expect(stdout).toMatch(/^✓ passed$/m);

  const { product, control, ...run } = JSON.parse(await readFile(json, "utf8"));
  expect(run).toMatchObject({ isPassed: true, seed: 1, failures: [], faults: [], lostRateBelow: 3 / 1_800 });
  expect(product).toMatchObject({
    kills: 3,
    idleKills: 0,
    acknowledged: 1_800,
    lost: 0,
    duplicates: 0,
    unacknowledged: 0,
    coupons: 3,
    couponsExact: 3,
  });
  expect(product.found).toBe(product.foundReplayed + product.foundAgain);
  expect(product.missing).toBe(product.missingGranted + product.missingRefused + product.missingAgain);
  expect(product.checksNotPassed).toBe(0);
  expect(control.lost).toBeGreaterThan(0);
  expect(control.receiptChecksFailed).toBeGreaterThan(0);
});

test("three power cuts lose nothing of the product, and a lying disk loses claims", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["verification/crash/run.ts", "--power", "--kills", "3", "--seed", "1"], {
    cwd: ROOT,
  });

  // Elsewhere than on Linux as root, and without loop devices, it says so and passes.
  const skipped = "^skipped: needs root and a loop device";
  expect(stdout).toMatch(new RegExp(`^  LOST +0 +[1-9]|${skipped}`, "m"));
  expect(stdout).toMatch(new RegExp(`^coupons at exactly their amount +3 of 3 |${skipped}`, "m"));
  expect(stdout).toMatch(new RegExp(`^[1-4] of 4 cuts of the power met file data that was not synced|${skipped}`, "m"));
  expect(stdout).toMatch(new RegExp(`^✓ passed$|${skipped}`, "m"));
});
