// Random histories under the seeded scheduler: every promise is kept in all of them, and a seed is the same
// history everywhere.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { missedFeatures } from "./features.ts";
import { COMMANDS } from "./points.ts";
import { failureText } from "./report.ts";
import { simulate } from "./simulate.ts";

describe("4,000 random histories", async () => {
  const { failures, doneCount, counts } = await simulate({ from: 1, count: 4_000, workers: 2 });

  test("4,000 random histories keep every promise", () => {
    expect(failures.map(failureText)).toEqual([]);
    expect(doneCount).toBe(4_000);
  });

  test("4,000 random histories meet every feature on the list", () => {
    expect(missedFeatures(counts)).toEqual([]);
  });

  test("in 4,000 random histories storage throws and instances end in every command", () => {
    const struck = new Set(Object.keys(counts).map((name) => name.split(",")[0]));
    const missed = COMMANDS.flatMap((command) => [`throw.${command}`, `crash.${command}`]).filter((name) => !struck.has(name));
    expect(missed).toEqual([]);
  });
});

describe("a seed", () => {
  const options = { from: 9_000, count: 200, isTraced: true };

  test("a seed has the same trace in another thread and after other histories", async () => {
    const [first, second, alone] = await Promise.all([
      simulate(options),
      simulate(options),
      simulate({ from: 9_199, count: 1, isTraced: true }),
    ]);
    expect(first.traces).toHaveLength(200);
    expect(second.traces).toEqual(first.traces);
    expect(alone.traces).toEqual(first.traces.slice(-1));
  });

  test("a range of seeds has the same sums on one thread and on three", async () => {
    const [one, three] = await Promise.all([simulate({ from: 1, count: 600 }), simulate({ from: 1, count: 600, workers: 3 })]);
    expect([three.digest, three.counts]).toEqual([one.digest, one.counts]);
  });
});

test("the command ends with 1 where a history fails, and prints it cut down", async () => {
  const args = [join(import.meta.dirname, "run.ts"), "--histories", "500", "--bug", "users-not-unique"];
  const { code, stdout } = await promisify(execFile)(process.execPath, args).then(
    (ended) => ({ code: 0, stdout: ended.stdout }),
    (cause: { readonly code: number; readonly stdout: string }) => cause,
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/^seed \d+, cut down to [1-9] steps: /m);
});
