// The mutants fit the sources as they are, and the outcome of a run is read correctly.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { ROOT } from "./copy.ts";
import { suitesOf, verdictOf } from "./judge.ts";
import { inLanes } from "./lanes.ts";
import { MUTANTS } from "./list.ts";
import { edited, mutatedFiles } from "./mutant.ts";
import { outcomeOf } from "./suite.ts";

const read = (file: string) => readFile(join(ROOT, file), "utf8");

describe("the list", () => {
  test.for(MUTANTS)("$name fits the sources", async (mutant) => {
    const texts = await mutatedFiles(mutant, read);
    expect(texts.size).toBeGreaterThan(0);
    for (const [file, text] of texts) expect(text).not.toBe(await read(file));
  });

  test("names each mutant once", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test("asks tests that there are", () => {
    const files = MUTANTS.flatMap(({ suite }) => suite.files);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test("is run as a whole without a fault first, each file in one part", () => {
    for (const partCount of [1, 2, 5]) {
      const parts = suitesOf(MUTANTS, partCount);
      const whole = (named: boolean) => parts.filter((part) => (part.named !== undefined) === named).flatMap(({ files }) => files);
      for (const { suite } of MUTANTS) {
        expect(whole(suite.named !== undefined).filter((file) => suite.files.includes(file))).toEqual(suite.files);
        expect(parts.filter(({ named = [] }) => suite.named?.every((name) => named.includes(name)) !== false)).not.toEqual([]);
      }
    }
  });
});

describe("an edit", () => {
  const edit = { file: "a.ts", find: "now < end", replace: "now <= end; // $& $1" };

  test("changes the one place, and takes what it puts there literally", () => {
    expect(edited("if (now < end) return;", edit, "late")).toBe("if (now <= end; // $& $1) return;");
  });

  test.for([
    ["is nowhere", "if (end > now) return;"],
    ["is 2 times", "now < end; now < end;"],
  ] as const)("that %s is refused with the name of its mutant", ([places, text]) => {
    expect(() => edited(text, edit, "late")).toThrow(`the mutant late does not apply any more: \`now < end\` ${places} in a.ts`);
  });

  test("finds what an edit of the same file before it has put there", async () => {
    const edits = [edit, { file: "a.ts", find: "now <= end; // $& $1", replace: "false" }];
    const texts = await mutatedFiles({ name: "late", fault: "", edits, suite: { project: "node", files: [] } }, () =>
      Promise.resolve("if (now < end) return;"),
    );
    expect([...texts]).toEqual([["a.ts", "if (false) return;"]]);
  });
});

/** A report of vitest on one file with these tests, each with its status and what it failed with. */
function report(tests: readonly (readonly [name: string, status: string, failure?: string])[], message = ""): string {
  const assertionResults = tests.map(([fullName, status, failure]) => ({
    fullName,
    status,
    failureMessages: failure === undefined ? [] : [failure],
  }));
  return JSON.stringify({ testResults: [{ name: "a.test.ts", status: message === "" ? "passed" : "failed", message, assertionResults }] });
}

function ended(exitCode: number | null, said = "") {
  return { exitCode, said };
}

describe("how a suite ended", () => {
  test.for([
    [
      "all tests passed",
      report([
        ["one", "passed"],
        ["two", "passed"],
        ["of another name", "skipped"],
      ]),
      ended(0),
      { is: "passed", testCount: 2 },
    ],
    [
      "a test failed",
      report([
        ["one", "passed"],
        ["two", "failed", "AssertionError: expected 6 to be 5\n    at a.ts:1"],
        ["three", "skipped"],
      ]),
      ended(1),
      { is: "failed", test: "two", why: "AssertionError: expected 6 to be 5" },
    ],
    [
      "a test ran out of time",
      report([["one", "failed", "Error: Test timed out in 30000ms.\nIf this is a long-running test, …"]]),
      ended(1),
      { is: "timed_out", test: "one" },
    ],
    ["the whole run took too long", report([["one", "passed"]]), ended(null), { is: "timed_out", test: null }],
    ["no test has such a name", report([["one", "skipped"]]), ended(0), { is: "unusable", why: "there is no such test" }],
    [
      "the file can't be loaded",
      report([], "SyntaxError: Unexpected token\n  at a.ts:1"),
      ended(1),
      { is: "unusable", why: "SyntaxError: Unexpected token" },
    ],
    ["vitest itself failed", null, ended(1, "\nError: no such project\n  more"), { is: "unusable", why: "Error: no such project" }],
    [
      "all tests passed, and yet it failed",
      report([["one", "passed"]]),
      ended(1),
      { is: "unusable", why: "vitest ended with 1 and no test failed" },
    ],
  ] as const)("%s", ([, text, how, outcome]) => {
    expect(outcomeOf(text, how)).toEqual(outcome);
  });
});

describe("a mutant", () => {
  test("whose suite fails is killed by the test that failed", () => {
    expect(verdictOf({}, { is: "failed", test: "one", why: "because" })).toEqual({ verdict: "killed", by: "one", why: "because" });
  });

  test("whose suite passes has survived, also where it should have hung", () => {
    expect(verdictOf({}, { is: "passed", testCount: 3 }).verdict).toBe("survived");
    expect(verdictOf({ hangs: true }, { is: "passed", testCount: 3 }).verdict).toBe("survived");
  });

  test("whose suite is out of time is noticed only where its fault is to hang, and by a test", () => {
    expect(verdictOf({ hangs: true }, { is: "timed_out", test: "one" }).verdict).toBe("hung");
    expect(verdictOf({ hangs: true }, { is: "timed_out", test: null }).verdict).toBe("timed out");
    expect(verdictOf({}, { is: "timed_out", test: "one" }).verdict).toBe("timed out");
  });

  test("whose suite can't be run is not killed by that", () => {
    expect(verdictOf({ hangs: true }, { is: "unusable", why: "because" })).toEqual({ verdict: "unusable", by: null, why: "because" });
  });
});

describe("lanes", () => {
  test("do everything once, as many at a time as there are places", async () => {
    const atWork = new Set<string>();
    const done: [string, number][] = [];
    const counts: number[] = [];
    await inLanes(
      ["a", "b"],
      [1, 2, 3, 4, 5, 6, 7],
      async (place, item) => {
        expect(atWork.has(place)).toBe(false);
        atWork.add(place);
        await new Promise(setImmediate);
        atWork.delete(place);
        done.push([place, item]);
      },
      (count) => counts.push(count),
    );
    expect(done.map(([, item]) => item).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(done.map(([place]) => place))).toEqual(new Set(["a", "b"]));
    expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("begin nothing more once something failed, and throw it when all are back", async () => {
    const begun: number[] = [];
    let isBack = false;
    const failing = inLanes(["a", "b"], [1, 2, 3, 4], async (_place, item) => {
      begun.push(item);
      if (item === 1) throw new Error("broken");
      await new Promise(setImmediate);
      isBack = true;
    });
    await expect(failing).rejects.toThrow("broken");
    expect([begun, isBack]).toEqual([[1, 2], true]);
  });
});
