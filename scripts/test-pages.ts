// `npm run test:pages`: the tests of pages, if there is a Chromium to run them in.

import { spawn } from "node:child_process";
import { join } from "node:path";

import { findChromium, NO_CHROMIUM } from "./browser/chromium.ts";
import { whenParentEnds } from "./parent.ts";
import { ROOT } from "./server/config.ts";

if (findChromium() === null) {
  console.log(`npm run test:pages: not run (test/pages): ${NO_CHROMIUM}`);
  process.exit(0);
}
// One file at a time: tests of countdowns need a machine that is not busy.
const args = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--project", "pages", "--maxWorkers=1", ...process.argv.slice(2)];
const vitest = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
const stop = (): void => void vitest.kill();
// A terminal sends SIGINT to vitest as well.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", stop);
whenParentEnds(stop);
vitest.on("exit", (code) => process.exit(code ?? 1));
