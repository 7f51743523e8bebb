// `npm start`: `wrangler dev`, ended with its children by any signal to npm.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";

import { whenParentEnds } from "./parent.ts";

const wrangler = spawn(process.execPath, [createRequire(import.meta.url).resolve("wrangler"), "dev", ...process.argv.slice(2)], {
  stdio: "inherit",
});
const stop = (): void => void wrangler.kill();
// A terminal sends SIGINT to wrangler as well.
process.on("SIGINT", () => undefined);
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
whenParentEnds(stop);
wrangler.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGTERM" ? 0 : 1)));
