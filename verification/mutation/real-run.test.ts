// Mutations that really run, in a copy of the checkout.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { removeScratch, scratchFolder } from "../../scripts/server/workerd.ts";
import { copyCheckout, ROOT } from "./copy.ts";
import { inNode } from "./mutation.ts";
import { judge, type Result } from "./verdict.ts";

const RULE = "src/domain/names.ts";
const LINE = `if (text === "") return "empty";`;

let copy: string;

beforeAll(async () => {
  copy = await scratchFolder("mutation-test");
  await copyCheckout(copy);
});

afterAll(() => removeScratch(copy));

/** Judges a fault that stands in the place of one line of the text rule. */
function judged(replace: string): Promise<Result> {
  const edits = [{ file: RULE, find: LINE, replace }];
  return judge({ name: "planted", fault: "", edits, suite: inNode("rules/names") }, copy, new AbortController().signal);
}

test("a mutation that a test notices is killed by that test and then undone", async () => {
  expect(await judged(`if (text === "") return null;`)).toMatchObject({ verdict: "killed", by: expect.any(String) });
  for (const root of [copy, ROOT]) expect(await readFile(join(root, RULE), "utf8")).toContain(LINE);
});

test("a mutation that changes nothing survives", async () => {
  expect(await judged(`if (text.length === 0) return "empty";`)).toMatchObject({ verdict: "survived", by: null });
});

test("a mutation that does not compile is unusable, not killed", async () => {
  expect((await judged("if (")).verdict).toBe("unusable");
});
