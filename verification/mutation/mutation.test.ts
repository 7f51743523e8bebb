// The mutations fit the sources as they are, and the outcome of a run is read correctly.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { ROOT } from "./copy.ts";
import { MUTATIONS } from "./list.ts";
import { edited, mutatedFiles } from "./mutation.ts";
import { atEachPlace } from "./parallel.ts";
import { outcomeOf } from "./suite.ts";
import { verdictOf } from "./verdict.ts";

const read = (file: string) => readFile(join(ROOT, file), "utf8");

test.for(MUTATIONS)("mutation $name fits the sources and its suite exists", async ({ suite, ...mutation }) => {
  const texts = await mutatedFiles({ suite, ...mutation }, read);
  expect(texts.size).toBeGreaterThan(0);
  for (const [file, text] of texts) expect(text).not.toBe(await read(file));
  expect(existsSync(join(ROOT, suite.file))).toBe(true);
});

test("every mutation has its own name", () => {
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});

describe("edits", () => {
  const edit = { file: "a.ts", find: "now < end", replace: "now <= end; // $& $1" };

  test("an edit replaces its one place by the literal text", () => {
    expect(edited("if (now < end) return;", edit, "late")).toBe("if (now <= end; // $& $1) return;");
  });

  test.for(["if (end > now) return;", "now < end; now < end;"])("an edit fitting `%s` never or twice is refused by name", (text) => {
    expect(() => edited(text, edit, "late")).toThrow("mutation late does not fit");
  });
});

/** A report of vitest on one file whose tests have these statuses, and what the last one failed with. */
function report(statuses: readonly string[], failure = "", message = ""): string {
  const assertionResults = statuses.map((status, index) => ({ fullName: `test ${index}`, status, failureMessages: [failure] }));
  return JSON.stringify({ testResults: [{ name: "a.test.ts", status: message === "" ? "passed" : "failed", message, assertionResults }] });
}

describe("outcomes", () => {
  const timeout = "Error: Test timed out in 30000ms.\nIf this is a long-running test, …";

  test.for([
    ["passed where all tests pass", report(["passed", "skipped"]), 0, { is: "passed", testCount: 1 }],
    [
      "failed by its first failure",
      report(["passed", "failed"], "Error: 6\n  at a.ts:1"),
      1,
      { is: "failed", test: "test 1", why: "Error: 6" },
    ],
    ["timed out where a test is", report(["failed"], timeout), 1, { is: "timed_out", test: "test 0" }],
    ["timed out where the process was killed", report(["passed"]), null, { is: "timed_out", test: null }],
    ["unusable without tests", report(["skipped"]), 0, { is: "unusable", why: "the file has no tests" }],
    ["unusable where the file does not load", report([], "", "SyntaxError: x\n  y"), 1, { is: "unusable", why: "SyntaxError: x" }],
    ["unusable where vitest wrote no report", null, 1, { is: "unusable", why: "Error: no such project" }],
    ["unusable where vitest fails but no test", report(["passed"]), 1, { is: "unusable", why: "Error: no such project" }],
  ] as const)("the outcome of a run is %s", ([, text, exitCode, outcome]) => {
    expect(outcomeOf(text, { exitCode, output: "\nError: no such project\n  more" })).toEqual(outcome);
  });
});

test.for([
  [{}, { is: "failed", test: "one", why: "because" }, "killed"],
  [{ hangs: true }, { is: "passed", testCount: 3 }, "survived"],
  [{ hangs: true }, { is: "timed_out", test: "one" }, "hung"],
  [{ hangs: true }, { is: "timed_out", test: null }, "timed out"],
  [{}, { is: "timed_out", test: "one" }, "timed out"],
  [{ hangs: true }, { is: "unusable", why: "because" }, "unusable"],
] as const)("a mutation %j with the outcome %j has the verdict %s", ([mutation, outcome, verdict]) => {
  expect(verdictOf(mutation, outcome).verdict).toBe(verdict);
});

test("parallel work ends after a failure and throws it when all are back", async () => {
  const begun: number[] = [];
  let isBack = false;
  const failing = atEachPlace(["a", "b"], [1, 2, 3, 4], async (_place, item) => {
    begun.push(item);
    if (item === 1) throw new Error("broken");
    await new Promise(setImmediate);
    isBack = true;
  });
  await expect(failing).rejects.toThrow("broken");
  expect([begun, isBack]).toEqual([[1, 2], true]);
});
