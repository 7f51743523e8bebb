// Runs some tests in a copy of the checkout, in a process of its own, and returns how they ended.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import * as z from "zod";

import { ROOT } from "./copy.ts";
import type { Suite } from "./mutant.ts";

export type Outcome =
  | { readonly is: "passed"; readonly testCount: number }
  /** `test` is the first one that failed, by its full name. */
  | { readonly is: "failed"; readonly test: string; readonly why: string }
  /** A test, or where that is null the whole run, was still waiting at the end of its time. */
  | { readonly is: "timed_out"; readonly test: string | null }
  /** It ended badly, but no test failed: the copy can't be run, for instance. Says nothing of a fault. */
  | { readonly is: "unusable"; readonly why: string };

export type RunOptions = {
  /** How long one test may take, in milliseconds. */
  readonly testMsMax?: number;
  /** How long all of it may take, in milliseconds. Stops a process that hangs where no test does. */
  readonly runMsMax?: number;
  readonly signal?: AbortSignal;
};

/** Far more than one test takes, and than the suite of one mutant does: it is the test that shows a hang. */
const TEST_MS_MAX = 120_000;
const RUN_MS_MAX = 240_000;

/** Runs `suite` in the copy at `root` until the first failure. Throws once `signal` is aborted. */
export async function runSuite(
  suite: Suite,
  root: string,
  { testMsMax = TEST_MS_MAX, runMsMax = RUN_MS_MAX, signal }: RunOptions = {},
): Promise<Outcome> {
  signal?.throwIfAborted();
  const report = join(root, "report.json");
  await rm(report, { force: true });
  const args = ["run", "--project", suite.project, "--bail=1", "--maxWorkers=1", "--reporter=json", `--outputFile=${report}`];
  args.push(`--testTimeout=${testMsMax}`);
  if (suite.named !== undefined) args.push("-t", suite.named.map(literally).join("|"));
  const limit = AbortSignal.timeout(runMsMax);
  const ended = await endOf([...args, ...suite.files], root, signal === undefined ? limit : AbortSignal.any([limit, signal]));
  signal?.throwIfAborted();
  return outcomeOf(await readFile(report, "utf8").catch(() => null), ended);
}

/** What became of the process; `exitCode` is null where it was killed for taking too long. */
export type Ended = { readonly exitCode: number | null; readonly said: string };

async function endOf(args: readonly string[], cwd: string, signal: AbortSignal): Promise<Ended> {
  // A process group of its own, because vitest starts workerd; and none of the variables that a surrounding vitest sets.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|VITE_|NODE_ENV|TEST$)/.test(name)));
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, ...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) throw new Error("vitest did not start");
  const kill = () => {
    // The group is gone already where it ended by itself in this moment.
    try {
      process.kill(-pid, "SIGKILL");
    } catch {}
  };
  signal.addEventListener("abort", kill, { once: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_000)));
  await once(child, "close");
  signal.removeEventListener("abort", kill);
  return { exitCode: child.exitCode, said };
}

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() })),
    }),
  ),
});

/** Reads the report that vitest wrote, null where it wrote none. */
export function outcomeOf(report: string | null, { exitCode, said }: Ended): Outcome {
  if (exitCode === null) return { is: "timed_out", test: null };
  const files = report === null ? [] : Report.parse(JSON.parse(report)).testResults;
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === "failed");
  if (failed !== undefined) {
    const why = firstLine(failed.failureMessages?.[0] ?? "");
    const isTimeout = /timed out in \d+ ?ms/.test(why);
    return isTimeout ? { is: "timed_out", test: failed.fullName } : { is: "failed", test: failed.fullName, why };
  }
  const passedCount = tests.filter(({ status }) => status === "passed").length;
  if (exitCode === 0 && passedCount > 0) return { is: "passed", testCount: passedCount };
  if (exitCode === 0) return { is: "unusable", why: "there is no such test" };
  const broken = files.find(({ status }) => status === "failed")?.message;
  return { is: "unusable", why: firstLine(broken ?? said) || `vitest ended with ${exitCode} and no test failed` };
}

/** A regular expression that matches `text` itself. */
function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
