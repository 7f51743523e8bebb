// The fuzz command with few inputs.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { runCommand } from "./command.ts";

type Findings = {
  readonly sent: readonly { readonly inputs: number; readonly regressions: number }[];
  readonly byOperation: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly raw: { readonly cases: number; readonly receipts: readonly unknown[] };
  readonly scenarios: { readonly count: number };
  readonly verification: { readonly checks: number; readonly failed: readonly unknown[] };
};

test("2,500 inputs, all socket cases and 16 scenarios find no fault", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "findings.json");

  const { code, out, err } = await runCommand("fuzz/run.ts", ["--inputs", "2500", "--stories", "16", "--seed", "1", "--json", file]);

  console.log(out, err);
  expect([code, out.includes("✗")]).toEqual([0, false]);
  const { sent, byOperation, raw, scenarios, verification } = JSON.parse(await readFile(file, "utf8")) as Findings;
  expect(sent).toMatchObject([
    { inputs: 2250, regressions: 4 },
    { inputs: 250, regressions: 4 },
  ]);
  const answered = Object.values(byOperation).flatMap((counts) => Object.values(counts));
  expect(answered.reduce((sum, count) => sum + count, 0)).toBe(2500);
  // Drawn requests succeed at every operation but those of one webhook and the restore: no id and no backup can be guessed.
  const unused = Object.entries(byOperation).filter(([, counts]) => Object.keys(counts).every((status) => !status.startsWith("2")));
  const ofOneWebhook = ["changeWebhook", "deleteWebhook", "getWebhook", "replayWebhook", "rotateWebhookSecret", "testWebhook"];
  const expected = ["no such method", "no such path", "restoreCoupon", ...ofOneWebhook];
  expect(unused.map(([operation]) => operation).toSorted()).toEqual(expected.toSorted());
  expect(raw.receipts).toHaveLength(raw.cases);
  expect(scenarios.count).toBe(16);
  expect([verification.checks > 300, verification.failed]).toEqual([true, []]);
});
