// Chromium, for the tests of pages and for screenshots: where it is, and how it starts.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium, type Browser } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export const NO_CHROMIUM = "there is no Chromium. Install it (apt-get install chromium), or name its path in CHROMIUM";

/** It reaches this machine alone, whatever a page asks for. `/dev/shm` is too small in containers. */
const FLAGS = [
  "--disable-background-networking",
  "--disable-dev-shm-usage",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  "--no-first-run",
];

/** Returns the path of Chromium: the variable `CHROMIUM`, the first on the PATH, or Playwright's own. Null if there is none. */
export function findChromium(
  { CHROMIUM, PATH = "" }: Readonly<Record<string, string | undefined>> = process.env,
  playwrights = chromium.executablePath(),
): string | null {
  // Not looked up: a mistyped path must fail, and not pass for a machine without Chromium.
  if (CHROMIUM !== undefined && CHROMIUM !== "") return CHROMIUM;
  const onPath = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  return [...onPath, playwrights].find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts Chromium. Throws if there is none. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(NO_CHROMIUM);
  // Its sandbox does not work as root, and the pages are our own.
  return chromium.launch({ executablePath, chromiumSandbox: false, args: FLAGS });
}
