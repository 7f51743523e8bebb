// Runs a test file in a copy of the checkout, in a process of its own, and returns how it ended.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import * as z from "zod";

import { ROOT } from "./copy.ts";
import type { Suite } from "./mutation.ts";

export type Outcome =
  | { readonly is: "passed"; readonly testCount: number }
  /** `test` is the first one that failed, by its full name. */
  | { readonly is: "failed"; readonly test: string; readonly why: string }
  /** A test, or where that is null the whole run, was still waiting at the end of its time. */
  | { readonly is: "timed_out"; readonly test: string | null }
  /** The run ended badly, but no test failed. That proves nothing about a fault. */
  | { readonly is: "unusable"; readonly why: string };

/** Far more than one test takes, in milliseconds. */
const TEST_MS_MAX = 120_000;
/** Stops a process that hangs outside of a test, in milliseconds. */
const RUN_MS_MAX = 240_000;

/** Runs `suite` in the copy at `root` until its first failure. Throws once `signal` is aborted. */
export async function runSuite(suite: Suite, root: string, signal: AbortSignal, testMsMax = TEST_MS_MAX): Promise<Outcome> {
  signal.throwIfAborted();
  const report = join(root, "report.json");
  await rm(report, { force: true });
  const args = ["run", "--project", suite.project, "--bail=1", "--maxWorkers=1", "--reporter=json", `--outputFile=${report}`];
  args.push(`--testTimeout=${testMsMax}`, suite.file);
  const ended = await endOf(args, root, AbortSignal.any([AbortSignal.timeout(RUN_MS_MAX), signal]));
  signal.throwIfAborted();
  return outcomeOf(await readFile(report, "utf8").catch(() => null), ended);
}

/** How the process ended. `exitCode` is null where it took too long and was killed. */
export type Ended = { readonly exitCode: number | null; readonly output: string };

async function endOf(args: readonly string[], cwd: string, signal: AbortSignal): Promise<Ended> {
  // vitest starts workerd, so it gets its own process group, without a surrounding vitest's variables.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|VITE_|NODE_ENV|TEST$)/.test(name)));
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, ...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) throw new Error("vitest did not start");
  const kill = () => {
    // The group may have ended by itself just before.
    try {
      process.kill(-pid, "SIGKILL");
    } catch {}
  };
  signal.addEventListener("abort", kill, { once: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-4_000)));
  await once(child, "close");
  signal.removeEventListener("abort", kill);
  return { exitCode: child.exitCode, output };
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

/** Reads vitest's report, which is null where vitest wrote none. */
export function outcomeOf(report: string | null, { exitCode, output }: Ended): Outcome {
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
  if (exitCode === 0) return { is: "unusable", why: "the file has no tests" };
  const broken = files.find(({ status }) => status === "failed")?.message;
  return { is: "unusable", why: firstLine(broken ?? output) || `vitest ended with ${exitCode} and no test failed` };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
