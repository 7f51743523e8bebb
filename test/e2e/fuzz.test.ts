// `npm run fuzz` from outside: a short run finds nothing, meets what is documented, and leaves nothing behind.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { freePort } from "../../verification/server/loopback.ts";

const ROOT = join(import.meta.dirname, "../..");

type Ended = { readonly code: number; readonly out: string; readonly err: string };

/** What a machine, or the test runner, may have set: empty is not set. */
const ENV = { ...process.env, BASE_URL: "", ADMIN_TOKEN: "" };

/** Runs the command to its end. */
function fuzz(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const running = execFile(
      process.execPath,
      [join(ROOT, "verification/fuzz/run.ts"), ...args],
      { cwd: ROOT, env: ENV },
      (_error, out, err) => resolve({ code: running.exitCode ?? -1, out, err }),
    );
  });
}

test("1,500 inputs, the hostile sockets and 16 stories find nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "findings.json");

  const { code, out, err } = await fuzz("--inputs", "1500", "--stories", "16", "--seed", "1", "--json", file);

  console.log(out, err);
  expect(out).not.toContain("✗");
  expect(code).toBe(0);
  const findings = JSON.parse(await readFile(file, "utf8")) as {
    readonly sent: readonly { readonly inputs: number; readonly regressions: number }[];
    readonly byOperation: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly raw: { readonly cases: number; readonly granted: readonly unknown[] };
    readonly stories: { readonly count: number };
    readonly servers: readonly { readonly isAlive: boolean }[];
    readonly verification: { readonly checks: number; readonly failed: readonly unknown[] };
  };
  expect(findings.sent.map(({ inputs }) => inputs)).toEqual([1350, 150]);
  expect(findings.sent.every(({ regressions }) => regressions >= 4)).toBe(true);
  const answered = Object.values(findings.byOperation).flatMap((counts) => Object.values(counts));
  expect(answered.reduce((sum, count) => sum + count, 0)).toBe(1500);
  // Each operation did what it is there for, so the drawn requests are no mere noise.
  const unused = Object.entries(findings.byOperation).filter(([, counts]) =>
    Object.keys(counts).every((status) => !status.startsWith("2")),
  );
  expect(unused.map(([operation]) => operation)).toEqual(["no such method", "no such path"]);
  expect(findings.raw.cases).toBeGreaterThan(40);
  expect(findings.raw.granted).toHaveLength(findings.raw.cases);
  expect(findings.stories.count).toBe(16);
  expect(findings.servers.map(({ isAlive }) => isAlive)).toEqual([true, true]);
  expect(findings.verification.checks).toBeGreaterThan(300);
  expect(findings.verification.failed).toEqual([]);
});

describe("what it cannot do is one sentence", () => {
  test("nothing listens there", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await fuzz("--base-url", url);
    expect(code).toBe(69);
    expect(err).toMatch(/^npm run fuzz: nothing listens at http:\/\/127\.0\.0\.1:\d+: [^\n]+\n$/);
  });

  test.for([
    ["a server elsewhere", ["--base-url", "http://example.com"]],
    ["no inputs", ["--inputs", "0"]],
    ["a seed that is none", ["--seed", "x"]],
    ["a path without its seed", ["--path", "1:2"]],
  ] as const)("%s", async ([, args]) => {
    const { code, err } = await fuzz(...args);
    expect(code).toBe(64);
    expect(err).toMatch(/^npm run fuzz: [^\n]+\n$/);
  });
});
