// The linter enforces which folder may import which: each forbidden import or global is planted, and refused.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { copied, type Copy, type Ran } from "./tools.ts";

/** Files that must not be accepted: a folder, what its new file does, and how. */
const PLANTS: readonly (readonly [folder: string, fault: string, code: string])[] = [
  ["domain", "imports the engine", `export { CouponEngine } from "../engine/coupon-engine.ts";`],
  ["domain", "imports Node", `export { readFileSync } from "node:fs";`],
  ["domain", "imports a package", `export { z } from "zod";`],
  ["domain", "reads the clock", `export const now = Date.now();`],
  ["domain", "makes a date", `export const now = new Date();`],
  ["domain", "draws at random", `export const drawn = Math.random();`],
  ["domain", "makes an id", `export const id = crypto.randomUUID();`],
  ["domain", "waits", `export const timer = setTimeout(() => undefined, 1);`],
  ["domain", "sends a request", `export const answer = fetch("https://example.com");`],
  ["engine", "imports the object", `export { Mailbox } from "../object/mailbox.ts";`],
  ["engine", "imports a database", `export { DatabaseSync } from "node:sqlite";`],
  ["engine", "reads the clock", `export const now = Date.now();`],
  ["engine", "draws at random", `export const drawn = Math.random();`],
  ["object", "imports the routes", `export { createApp } from "../http/app.ts";`],
  ["object", "imports the edge", `export { callCoupon } from "../edge/coupon-calls.ts";`],
  ["object", "imports the courier", `export { CourierObject } from "../courier/courier-object.ts";`],
  ["courier", "imports the object", `export { Mailbox } from "../object/mailbox.ts";`],
  ["courier", "imports the edge", `export { parseEnv } from "../edge/env.ts";`],
  ["lane", "imports the object", `export { Mailbox } from "../object/mailbox.ts";`],
  ["lane", "imports the edge", `export { callCoupon } from "../edge/coupon-calls.ts";`],
  ["object", "imports the lane", `export { Lane } from "../lane/lane.ts";`],
  ["edge", "imports the lane", `export { Lane } from "../lane/lane.ts";`],
  ["read-model", "imports the edge", `export { parseEnv } from "../edge/env.ts";`],
  ["webhooks", "imports the read model", `export { storePage } from "../read-model/store.ts";`],
  ["edge", "imports the courier", `export { CourierObject } from "../courier/courier-object.ts";`],
  ["edge", "imports the routes", `export { createApp } from "../http/app.ts";`],
  ["edge", "imports the object", `export { Mailbox } from "../object/mailbox.ts";`],
  ["edge", "imports the engine", `export { CouponEngine } from "../engine/coupon-engine.ts";`],
  ["http", "imports the pages", `export { PAGES } from "../web/pages.ts";`],
  ["web", "imports the object", `export { Mailbox } from "../object/mailbox.ts";`],
  ["web", "imports the read model", `export { storePage } from "../read-model/store.ts";`],
  ["web/islands", "makes an id by HTTPS alone", `export const id = crypto.randomUUID();`],
  ["http", "imports the courier", `export { CourierObject } from "../courier/courier-object.ts";`],
  ["http", "imports the object", `export { Mailbox } from "../object/mailbox.ts";`],
  ["http", "imports a type of the object", `export type { Mailbox } from "../object/mailbox.ts";`],
  ["http", "imports the engine", `export { CouponEngine } from "../engine/coupon-engine.ts";`],
  ["http", "imports the engine dynamically", `export const later = () => import("../engine/sql.ts");`],
];

function fileOf([folder, fault]: (typeof PLANTS)[number]): string {
  return `src/${folder}/planted-${fault.replaceAll(" ", "-")}.ts`;
}

let copy: Copy;
let clean: Ran;
let planted: Ran;

beforeAll(() => {
  copy = copied();
  const lint = (): Ran => copy.run("oxlint", "--deny-warnings", "--format", "unix", "src");
  clean = lint();
  for (const plant of PLANTS) {
    const file = join(copy.folder, fileOf(plant));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `// Planted by a test.\n${plant[2]}\n`);
  }
  planted = lint();
});

afterAll(() => copy.remove());

test("the linter accepts the sources as they are", () => {
  expect(clean).toMatchObject({ status: 0 });
});

test.for(PLANTS)("the linter refuses a file of src/%s that %s", (plant) => {
  expect(planted.status).not.toBe(0);
  expect(planted.output).toContain(fileOf(plant));
});
