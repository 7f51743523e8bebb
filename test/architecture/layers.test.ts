// The arrows between the folders are held by the compiler and the linter: each forbidden step is planted, and refused.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { copied, type Copy } from "./tools.ts";

const TYPES = "the compiler";
const LINT = "the linter";

type Plant = { readonly breaks: string; readonly folder: string; readonly code: string; readonly refusedBy: readonly string[] };

// Imports of another folder are refused twice; what the language itself offers, by the linter alone.
const PLANTS: readonly Plant[] = [
  {
    breaks: "the domain imports the engine",
    folder: "domain",
    code: `export { CouponEngine } from "../engine/coupon-engine.ts";`,
    refusedBy: [LINT, TYPES],
  },
  { breaks: "the domain imports Node", folder: "domain", code: `export { readFileSync } from "node:fs";`, refusedBy: [LINT, TYPES] },
  { breaks: "the domain imports a package", folder: "domain", code: `export { z } from "zod";`, refusedBy: [LINT] },
  { breaks: "the domain asks for the time", folder: "domain", code: `export const now = Date.now();`, refusedBy: [LINT] },
  { breaks: "the domain makes a date", folder: "domain", code: `export const now = new Date();`, refusedBy: [LINT] },
  { breaks: "the domain draws at random", folder: "domain", code: `export const drawn = Math.random();`, refusedBy: [LINT] },
  { breaks: "the domain makes an id", folder: "domain", code: `export const id = crypto.randomUUID();`, refusedBy: [LINT, TYPES] },
  { breaks: "the domain waits", folder: "domain", code: `export const timer = setTimeout(() => undefined, 1);`, refusedBy: [TYPES] },
  {
    breaks: "the domain asks the network",
    folder: "domain",
    code: `export const answer = fetch("https://example.com");`,
    refusedBy: [TYPES],
  },
  {
    breaks: "the engine imports the object",
    folder: "engine",
    code: `export { Mailbox } from "../object/mailbox.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the engine imports a database",
    folder: "engine",
    code: `export { DatabaseSync } from "node:sqlite";`,
    refusedBy: [LINT, TYPES],
  },
  { breaks: "the engine asks for the time", folder: "engine", code: `export const now = Date.now();`, refusedBy: [LINT] },
  { breaks: "the engine draws at random", folder: "engine", code: `export const drawn = Math.random();`, refusedBy: [LINT] },
  {
    breaks: "the object imports the routes",
    folder: "object",
    code: `export { createApp } from "../http/app.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the object imports the edge",
    folder: "object",
    code: `export { callCoupon } from "../edge/coupon-calls.ts";`,
    refusedBy: [LINT, TYPES],
  },
  { breaks: "the edge imports the routes", folder: "edge", code: `export { createApp } from "../http/app.ts";`, refusedBy: [LINT, TYPES] },
  {
    breaks: "the edge imports the object",
    folder: "edge",
    code: `export { Mailbox } from "../object/mailbox.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the edge imports the engine",
    folder: "edge",
    code: `export { CouponEngine } from "../engine/coupon-engine.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the routes import the object",
    folder: "http",
    code: `export { Mailbox } from "../object/mailbox.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the routes import the object's type",
    folder: "http",
    code: `export type { Mailbox } from "../object/mailbox.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the routes import the engine",
    folder: "http",
    code: `export { CouponEngine } from "../engine/coupon-engine.ts";`,
    refusedBy: [LINT, TYPES],
  },
  {
    breaks: "the routes import the engine later on",
    folder: "http",
    code: `export const later = () => import("../engine/sql.ts");`,
    refusedBy: [LINT, TYPES],
  },
];

function fileOf({ folder, breaks }: Plant): string {
  return `src/${folder}/planted-${breaks.replaceAll(/\W+/g, "-")}.ts`;
}

let copy: Copy;
let clean: { readonly status: number | null; readonly output: string }[];
let planted: { readonly by: string; readonly status: number | null; readonly output: string }[];

// Lint first each time: the compiler leaves its output behind.
beforeAll(() => {
  copy = copied();
  clean = [copy.run("oxlint", "--deny-warnings", "src"), copy.run("tsc", "-b", "src", "--pretty", "false")];
  for (const plant of PLANTS) writeFileSync(join(copy.folder, fileOf(plant)), `// Planted by a test.\n${plant.code}\n`);
  planted = [
    { by: LINT, ...copy.run("oxlint", "--deny-warnings", "--format", "unix", "src") },
    { by: TYPES, ...copy.run("tsc", "-b", "src", "--pretty", "false") },
  ];
});

afterAll(() => copy.remove());

test("the sources as they are pass the linter and the compiler", () => {
  expect(clean.map(({ output }) => output.replaceAll(/^(Found 0 warnings.*|Finished in.*)?\n/gm, ""))).toEqual(["", ""]);
  expect(clean.map(({ status }) => status)).toEqual([0, 0]);
});

test("the sources with forbidden steps pass neither", () => {
  expect(planted.filter(({ status }) => status === 0)).toEqual([]);
});

describe("it is refused that", () => {
  test.for(PLANTS)("$breaks", (plant) => {
    const refusedBy = planted.filter(({ output }) => output.includes(fileOf(plant))).map(({ by }) => by);
    expect(refusedBy).toEqual(expect.arrayContaining([...plant.refusedBy]));
  });
});
