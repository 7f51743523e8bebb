// Random histories under the seeded scheduler: every promise is kept in all of them, and a seed tells the same trace anywhere.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { missedFeatures } from "./features.ts";
import { COMMANDS } from "./points.ts";
import { failureText } from "./report.ts";
import { simulate } from "./simulate.ts";

const RUN = join(import.meta.dirname, "../../verification/simulation/run.ts");
const run = promisify(execFile);

/** What `npm run simulate` prints and how it ends. */
async function commandRun(...args: string[]): Promise<{ exitCode: number; printed: string; complained: string }> {
  const ended = await run(process.execPath, [RUN, ...args], { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (cause: { code: number; stdout: string; stderr: string }) => cause,
  );
  return { exitCode: ended.code, printed: ended.stdout, complained: ended.stderr };
}

/** The lines of a report that do not depend on how fast it was made. */
function withoutTimes(printed: string): string {
  return printed.replace(/^histories .*$/m, "");
}

describe("4,000 histories", async () => {
  const { failures, doneCount, sum } = await simulate({ from: 1, count: 4_000, workers: 2 });

  test("keep every promise", () => {
    expect(failures.map(failureText)).toEqual([]);
    expect(doneCount).toBe(4_000);
  });

  test("meet every feature on the list", () => {
    expect(missedFeatures(sum.counts)).toEqual([]);
  });

  test("strike every command by a throw of storage and by the end of the instance", () => {
    const missed = COMMANDS.filter((command) => {
      const rows = sum.coverage.filter((row) => row.command === command);
      return !rows.some(({ thrown }) => thrown > 0) || !rows.some(({ crashed }) => crashed > 0);
    });
    expect(missed).toEqual([]);
  });
});

describe("a seed", () => {
  const options = { from: 9_000, count: 200 };

  test("tells the same trace in another thread and in another process, byte by byte", async () => {
    const [first, second] = await Promise.all([simulate({ ...options, isTraced: true }), simulate({ ...options, isTraced: true })]);
    expect(second.traces).toEqual(first.traces);
    expect(first.traces).toHaveLength(200);
    const { printed } = await commandRun("--seed", "9000", "--histories", "200", "--trace");
    expect(printed).toContain(first.traces.join("\n\n"));
  });

  test("tells the same trace twice in a row, and whatever came before it", async () => {
    const alone = await simulate({ from: 9_199, count: 1, isTraced: true });
    const among = await simulate({ ...options, isTraced: true });
    expect(among.traces.at(-1)).toBe(alone.traces[0]);
  });

  test("tells the same trace with tables that are made and dropped in fact", async () => {
    const [reused, whole] = await Promise.all([
      simulate({ ...options, isTraced: true }),
      simulate({ ...options, isTraced: true, isWhole: true }),
    ]);
    expect(whole.traces).toEqual(reused.traces);
    expect(whole.sum.digest).toEqual(reused.sum.digest);
  });

  test("comes to the same sum on one thread and on three", async () => {
    const [one, three] = await Promise.all([simulate({ from: 1, count: 600 }), simulate({ from: 1, count: 600, workers: 3 })]);
    expect(three.sum.digest).toEqual(one.sum.digest);
    expect(three.sum.counts).toEqual(one.sum.counts);
  });
});

test("a run whose time is over ends with what it has done, and the next one goes on from there", async () => {
  const { doneCount, sum } = await simulate({ from: 1, count: 1_000_000, msMax: 500 });
  expect(doneCount).toBeLessThan(1_000_000);
  const [same, rest] = await Promise.all([
    simulate({ from: 1, count: doneCount }),
    simulate({ from: 1 + doneCount, count: 500, isTraced: true }),
  ]);
  expect(sum.digest).toEqual(same.sum.digest);
  expect(rest.traces[0]).toMatch(new RegExp(`^seed ${1 + doneCount},`));
});

describe("the command", () => {
  test("prints the seeds, the numbers, the bound and the digest, and ends well", async () => {
    const first = await commandRun("--histories", "300", "--seed", "7");
    expect(first.exitCode).toBe(0);
    expect(first.printed).toMatch(/^seeds 7 to 306\n/);
    expect(first.printed).toContain("failed         0 of 300: the true rate is below 1.0e-2 (95 % confidence)");
    expect(first.printed).toMatch(/^digest {9}[0-9a-f]{16}$/m);
    const again = await commandRun("--histories", "300", "--seed", "7", "--workers", "2");
    expect(withoutTimes(again.printed)).toBe(withoutTimes(first.printed));
  });

  test("tells a failure as the trace of a short history, and ends with 1", async () => {
    const { exitCode, printed } = await commandRun("--histories", "500", "--bug", "users-not-unique");
    expect(exitCode).toBe(1);
    expect(printed).toMatch(/^seed \d+, cut down to [1-9] steps: /m);
    expect(printed).toMatch(/client \d's request \d+ to isolate \d: claim userId=\w+/);
    expect(printed).toMatch(/^failed {9}1 or more of 500: seeds \d+$/m);
  });

  test.for([
    [["--workers", "many"], '--workers takes a number from 1 to 256, or "cores", not "many"'],
    [["--bug", "none-such"], 'there is no bug "none-such"'],
    [["--histories", "0"], "--histories takes a whole number from 1 to 1000000000"],
  ] as const)("refuses %j in a sentence", async ([args, sentence]) => {
    const { exitCode, complained } = await commandRun(...args);
    expect(exitCode).toBe(64);
    expect(complained).toContain(sentence);
    expect(complained.trim().split("\n")).toHaveLength(1);
  });
});
