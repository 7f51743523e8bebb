// `npm run verify` as it is typed: what it prints, how it ends, what it leaves behind, and that none of it is the product's code.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { linesOf } from "./print.ts";
import type { Check, Told } from "./verify.ts";
import { BUSY, newState, putBusyCoupon, putCoupon, type State } from "./state.fixture.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMMAND = join(ROOT, "verification/verify/run.ts");
// vitest has a BASE_URL of its own.
const ENV = { ...process.env, ADMIN_TOKEN: "", BASE_URL: "" };

let state: State;
let told: Told[];

beforeEach(() => {
  state = newState();
  told = putBusyCoupon(state);
});

afterEach(() => state.remove());

function run(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8", env: ENV });
  return { status, stdout, stderr };
}

describe("the command", () => {
  test("prints each coupon with eight lines, and a total", () => {
    const file = join(state.folder, "told");
    writeFileSync(file, told.map((receipt) => `${JSON.stringify(receipt)}\n`).join(""));
    expect(run("--state", state.folder, "--told", file)).toEqual({
      status: 0,
      stderr: "",
      stdout: `"BUSY 🎉/1"  amount 8, claimed 6, held 1, remaining 1
  PASS  1  claims and holds are no more than the amount           6 claims + 1 hold ≤ 8
  PASS  2  nobody has two                                         6 users, 1 hold of others, no position twice
  PASS  3  distinct users, claims and the counter are the same    6 users, 6 claims, counter 6
  SKIP  4  the API's numbers are the file's                       no API to ask: name one with --url
  PASS  5  remaining is the amount less what is claimed and held  8 − 6 − 1 = 1; 1 hold over by now: the next call returns what they keep
  PASS  6  remaining and all counters are at least 0              1 remaining
  PASS  7  the ledger has no gap and tells the same story         17 events, retold: 6 claims, 1 hold, 1 release
  PASS  8  every claim that a client was told about is there      8 told: 7 stored, 1 released later

1 coupon, 7 checks, 0 failed, 1 skipped
`,
    });
  });

  test("ends with the number of checks that failed", () => {
    state.alter(BUSY, (database) => database.exec("UPDATE coupon SET claimed = 5"));
    const { status, stdout } = run("--state", state.folder);
    expect([status, stdout.split("\n").at(-2)]).toEqual([3, "1 coupon, 6 checks, 3 failed, 2 skipped"]);
  });

  test("ends with 63 where more failed", () => {
    for (let index = 0; index < 12; index += 1) writeFileSync(state.file(`broken ${index}`), "no database, though it is there");
    const { status, stdout } = run("--state", state.folder);
    expect([status, stdout.split("\n").at(-2)]).toEqual([63, "13 coupons, 78 checks, 72 failed, 26 skipped"]);
  });

  test.for([
    [["--state", "/no/such/folder"], 69, "npm run verify: there is no folder /no/such/folder"],
    [
      ["--url", "here"],
      64,
      'npm run verify: --url takes an address such as http://127.0.0.1:8787, not "here" (see npm run verify -- --help)',
    ],
    [["--told", "/no/such/file"], 64, "npm run verify: --told /no/such/file can't be read: ENOENT"],
    [["more"], 64, 'npm run verify: does not take "more" (see npm run verify -- --help)'],
  ] as const)("says in a sentence why it does not take %j", ([args, status, sentence]) => {
    expect(run(...args)).toEqual({ status, stdout: "", stderr: `${sentence}\n` });
  });

  test("leaves nothing behind when it is interrupted", async () => {
    for (let index = 0; index < 200; index += 1) putCoupon(state, `coupon ${index}`, 3);
    const verifying = spawn(process.execPath, [COMMAND, "--state", state.folder], { stdio: "ignore", env: ENV });
    const ended = once(verifying, "exit");
    while (scratchOf(verifying.pid).length === 0 && verifying.exitCode === null) await new Promise((resume) => setTimeout(resume, 5));
    verifying.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(scratchOf(verifying.pid)).toEqual([]);
  });
});

function checksOf(coupon: string, verdict: Check["verdict"]): Check[] {
  return ([1, 2, 3] as const).map((number) => ({ coupon, number, title: "title", verdict, detail: `detail ${number}` }));
}

describe("what is printed", () => {
  test("is all of twenty coupons, and of more only what failed", () => {
    const twenty = Array.from({ length: 20 }, (_, index) => checksOf(`coupon ${index}`, "PASS")).flat();
    expect(linesOf(twenty, false)).toHaveLength(20 * 5 + 1);
    const many = [...twenty, ...checksOf("broken", "FAIL"), ...checksOf("skipped", "SKIP")];
    expect(linesOf(many, false)).toEqual([
      '"broken"',
      ...[1, 2, 3].map((number) => `  FAIL  ${number}  ${"title".padEnd(55)}detail ${number}`),
      "",
      "22 coupons, 63 checks, 3 failed, 3 skipped",
    ]);
    expect(linesOf(many, true)).toHaveLength(22 * 5 + 1);
  });

  test("cannot do anything to a terminal", () => {
    const [heading] = linesOf(checksOf("\u001b[2J\u009b2J", "PASS"), false);
    expect(heading).toBe('"\\u001b[2J\\u009b2J"');
  });
});

describe("of the product's code", () => {
  test("the verification imports the version of the tables alone", () => {
    const files = filesIn("verification/verify").filter((file) => !/\.(test|fixture)\.ts$/.test(file));
    const imported = importedFrom(files);
    expect(imported.filter((file) => file.startsWith("src/"))).toEqual(["src/engine/schema.ts", "src/domain/limits.ts"]);
    const named = files.flatMap((file) => readFileSync(file, "utf8").match(/import [^;]*src\/[^;]*;/g) ?? []);
    expect(named).toEqual(['import { SCHEMA_VERSION } from "../../src/engine/schema.ts";']);
    expect(imported).toContain("verification/cli/command.ts");
  });

  test("more is noticed: what this test imports has it", () => {
    expect(importedFrom(["verification/verify/state.fixture.ts"])).toContain("src/engine/statements.ts");
  });
});

/** The folders that a process has made for its copies. */
function scratchOf(pid: number | undefined): string[] {
  try {
    return readdirSync(join(ROOT, ".scratch")).filter((name) => name.startsWith(`verify-${pid}-`));
  } catch {
    // Others remove it with the last folder of their own.
    return [];
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).map((file) => join(folder, file));
}

/** Every file that these import, directly or not, and they themselves, as paths from the project's root. */
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
