// Mutants that are really run, in a copy of the checkout: one that is noticed, one that is not, and one that can't be run.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { copyCheckout, ROOT } from "./copy.ts";
import { judged } from "./judge.ts";
import { inNode, type Mutant } from "./mutant.ts";
import { removeScratch, scratchFolder } from "../server/workerd.ts";

const RULE = "src/domain/names.ts";
const LINE = `if (text === "") return "empty";`;

/** A fault in the rule of texts, put in place of one of its lines. */
function fault(replace: string): Mutant {
  return { name: "planted", fault: "A fault of this test.", edits: [{ file: RULE, find: LINE, replace }], suite: inNode("rules/text") };
}

let copy: string;

beforeAll(async () => {
  copy = await scratchFolder("mutants-test");
  await copyCheckout(copy);
});

afterAll(() => removeScratch(copy));

test("a fault that the tests notice is killed, by name, and is nowhere afterwards", async () => {
  const { verdict, by } = await judged(fault(`if (text === "") return null;`), copy);
  expect([verdict, by]).toEqual(["killed", expect.any(String)]);
  for (const root of [copy, ROOT]) expect(await readFile(join(root, RULE), "utf8")).toContain(LINE);
});

test("a fault that changes nothing survives", async () => {
  expect(await judged(fault(`if (text.length === 0) return "empty";`), copy)).toMatchObject({ verdict: "survived", by: null });
});

test("a fault that is no code kills nothing", async () => {
  expect((await judged(fault("if ("), copy)).verdict).toBe("unusable");
});
