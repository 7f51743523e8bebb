// The linter enforces which folder may import which: each forbidden step is planted, and refused.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { copied, type Copy, type Ran } from "./tools.ts";

type Plant = { readonly breaks: string; readonly folder: string; readonly code: string };

const PLANTS: readonly Plant[] = [
  {
    breaks: "the domain imports the engine",
    folder: "domain",
    code: `export { CouponEngine } from "../engine/coupon-engine.ts";`,
  },
  { breaks: "the domain imports Node", folder: "domain", code: `export { readFileSync } from "node:fs";` },
  { breaks: "the domain imports a package", folder: "domain", code: `export { z } from "zod";` },
  { breaks: "the domain asks for the time", folder: "domain", code: `export const now = Date.now();` },
  { breaks: "the domain makes a date", folder: "domain", code: `export const now = new Date();` },
  { breaks: "the domain draws at random", folder: "domain", code: `export const drawn = Math.random();` },
  { breaks: "the domain makes an id", folder: "domain", code: `export const id = crypto.randomUUID();` },
  { breaks: "the domain waits", folder: "domain", code: `export const timer = setTimeout(() => undefined, 1);` },
  {
    breaks: "the domain asks the network",
    folder: "domain",
    code: `export const answer = fetch("https://example.com");`,
  },
  {
    breaks: "the engine imports the object",
    folder: "engine",
    code: `export { Mailbox } from "../object/mailbox.ts";`,
  },
  {
    breaks: "the engine imports a database",
    folder: "engine",
    code: `export { DatabaseSync } from "node:sqlite";`,
  },
  { breaks: "the engine asks for the time", folder: "engine", code: `export const now = Date.now();` },
  { breaks: "the engine draws at random", folder: "engine", code: `export const drawn = Math.random();` },
  {
    breaks: "the object imports the routes",
    folder: "object",
    code: `export { createApp } from "../http/app.ts";`,
  },
  {
    breaks: "the object imports the edge",
    folder: "object",
    code: `export { callCoupon } from "../edge/coupon-calls.ts";`,
  },
  { breaks: "the edge imports the routes", folder: "edge", code: `export { createApp } from "../http/app.ts";` },
  {
    breaks: "the edge imports the object",
    folder: "edge",
    code: `export { Mailbox } from "../object/mailbox.ts";`,
  },
  {
    breaks: "the edge imports the engine",
    folder: "edge",
    code: `export { CouponEngine } from "../engine/coupon-engine.ts";`,
  },
  {
    breaks: "the routes import the object",
    folder: "http",
    code: `export { Mailbox } from "../object/mailbox.ts";`,
  },
  {
    breaks: "the routes import the object's type",
    folder: "http",
    code: `export type { Mailbox } from "../object/mailbox.ts";`,
  },
  {
    breaks: "the routes import the engine",
    folder: "http",
    code: `export { CouponEngine } from "../engine/coupon-engine.ts";`,
  },
  {
    breaks: "the routes import the engine later on",
    folder: "http",
    code: `export const later = () => import("../engine/sql.ts");`,
  },
];

function fileOf({ folder, breaks }: Plant): string {
  return `src/${folder}/planted-${breaks.replaceAll(/\W+/g, "-")}.ts`;
}

let copy: Copy;
let clean: Ran;
let planted: Ran;

beforeAll(() => {
  copy = copied();
  const lint = (): Ran => copy.run("oxlint", "--deny-warnings", "--format", "unix", "src");
  clean = lint();
  for (const plant of PLANTS) writeFileSync(join(copy.folder, fileOf(plant)), `// Planted by a test.\n${plant.code}\n`);
  planted = lint();
});

afterAll(() => copy.remove());

test("the sources as they are pass the linter", () => {
  expect(clean).toMatchObject({ status: 0 });
});

describe("the linter refuses the sources when", () => {
  test.for(PLANTS)("$breaks", (plant) => {
    expect(planted.status).not.toBe(0);
    expect(planted.output).toContain(fileOf(plant));
  });
});
