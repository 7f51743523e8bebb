// `npm run verify` as it is typed: its exit codes, its input file, what it leaves behind, and its
// independence of the product's code.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { receiptsIn } from "./receipts.ts";
import { BUSY, newState, putBusyCoupon, putCoupon, refusal, type State } from "./state.fixture.ts";
import type { Receipt } from "./verify.ts";
import { quoted } from "./words.ts";

const ROOT = join(import.meta.dirname, "../..");
const COMMAND = join(ROOT, "verification/verify/run.ts");
// vitest has a BASE_URL of its own.
const ENV = { ...process.env, ADMIN_TOKEN: "", BASE_URL: "" };

let state: State;
let receipts: Receipt[];

beforeEach(() => {
  state = newState();
  receipts = putBusyCoupon(state);
});

afterEach(() => state.remove());

/** The line with the total. */
const last = (stdout: string) => stdout.split("\n").at(-2);

function written(text: string): string {
  const file = join(state.folder, "receipts.ndjson");
  writeFileSync(file, text);
  return file;
}

test("the exit code is the number of failed checks, at most 63", () => {
  const file = written(receipts.map((receipt) => `${JSON.stringify(receipt)}\n`).join(""));
  const run = () => spawnSync(process.execPath, [COMMAND, "--state", state.folder, "--receipts", file], { encoding: "utf8", env: ENV });

  const whole = run();
  expect([whole.status, whole.stderr, last(whole.stdout)]).toEqual([0, "", "1 coupon, 7 checks, 0 failed, 1 skipped"]);
  state.alter(BUSY, (database) => database.exec("UPDATE coupon SET claimed = 5"));
  const damaged = run();
  expect([damaged.status, last(damaged.stdout)]).toEqual([3, "1 coupon, 7 checks, 3 failed, 1 skipped"]);
  for (let index = 0; index < 12; index += 1) writeFileSync(state.file(`broken ${index}`), "no database, though it is there");
  expect(run().status).toBe(63);
});

test("an interrupted command removes its copies", async () => {
  for (let index = 0; index < 200; index += 1) putCoupon(state, `coupon ${index}`, 3);
  const verifying = spawn(process.execPath, [COMMAND, "--state", state.folder], { stdio: "ignore", env: ENV });
  const ended = once(verifying, "exit");
  while (scratchOf(verifying.pid).length === 0 && verifying.exitCode === null) await new Promise((resume) => setTimeout(resume, 5));
  verifying.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
  expect(scratchOf(verifying.pid)).toEqual([]);
});

/** The folders that a process has made for its copies. */
function scratchOf(pid: number | undefined): string[] {
  try {
    return readdirSync(join(ROOT, ".scratch")).filter((name) => name.startsWith(`verify-${pid}-`));
  } catch {
    // Other processes remove it together with their last folder.
    return [];
  }
}

test("a receipts file has our receipts or the API's bodies, a line each", async () => {
  const [receipt] = receipts;
  const body = { coupon_name: BUSY, user_id: "u1", position: 1, claimed_at: receipt?.claimedAt, remaining_amount: 4 };
  expect(await receiptsIn(written(`${JSON.stringify(receipt)}\n\n${JSON.stringify(body)}\r\n`))).toEqual([receipt, receipt]);
});

test.for(["{", "[]", "7", "null", '{"coupon":"C","userId":"u","position":"1","claimedAt":"t"}'])(
  "a receipts file with the line %s is refused",
  async (line) => {
    const file = written(`${JSON.stringify(receipts[0])}\n${line}\n`);
    expect(await refusal(receiptsIn(file))).toBe(`line 2 of ${file} is no receipt: it takes coupon, userId, position and claimedAt`);
  },
);

test("a text from a file can't control a terminal", () => {
  expect(quoted("\u001b[2J\u009b2J")).toBe('"\\u001b[2J\\u009b2J"');
});

test("the verifier imports nothing of the product but the version of the tables", () => {
  const files = readdirSync(join(ROOT, "verification/verify")).filter((file) => !/\.(test|fixture)\.ts$/.test(file));
  const imported = importedFrom(files.map((file) => join("verification/verify", file)));
  expect(imported.filter((file) => file.startsWith("src/"))).toEqual([
    "src/engine/schema.ts",
    "src/domain/limits.ts",
    "src/domain/ledger-event.ts",
    "src/domain/coupon.ts",
  ]);
  const named = imported.flatMap((file) => readFileSync(join(ROOT, file), "utf8").match(/import [^;]*\/src\/[^;]*;/g) ?? []);
  expect(named).toEqual(['import { SCHEMA_VERSION } from "../../src/engine/schema.ts";']);
  // The fixture shows that a real import of the product is seen.
  expect(importedFrom(["verification/verify/state.fixture.ts"])).toContain("src/engine/claim-store.ts");
});

/** These files and all that they import, directly or not, as paths from the project's root. */
function importedFrom(files: readonly string[]): string[] {
  const seen = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)) waiting.push(join(dirname(file), path ?? ""));
  }
  return [...seen];
}
