// Which Chromium is taken.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { findChromium } from "./chromium.ts";

test("Chromium is the one of CHROMIUM, else of the PATH, else of Playwright, else none", () => {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-chromium-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [own, chrome, notExecutable] = ["own/chrome", "a/google-chrome", "b/chromium"].map((path) => join(folder, path));
  for (const part of ["own", "a", "b"]) mkdirSync(join(folder, part));
  for (const path of [own, chrome, notExecutable]) writeFileSync(path ?? "", "");
  for (const path of [own, chrome]) chmodSync(path ?? "", 0o755);
  const PATH = [join(folder, "b"), join(folder, "a")].join(":");

  expect(findChromium({ CHROMIUM: "/mistyped", PATH }, own)).toBe("/mistyped");
  expect(findChromium({ CHROMIUM: "", PATH }, own)).toBe(chrome);
  expect(findChromium({ PATH: join(folder, "b") }, own)).toBe(own);
  expect(findChromium({ PATH: join(folder, "b") }, join(folder, "missing"))).toBeNull();
});
