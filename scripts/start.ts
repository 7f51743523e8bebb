// `npm start`: `wrangler dev` on a database with its tables, ended with its children by any signal to npm.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { whenParentEnds } from "./parent.ts";
import { ROOT } from "./server/config.ts";
import { migrate, wranglerDatabase } from "./server/migrations.ts";

const { values } = parseArgs({ options: { "persist-to": { type: "string", default: join(ROOT, ".wrangler/state") } }, strict: false });
const database = wranglerDatabase(String(values["persist-to"]));
try {
  migrate(database);
} catch (cause) {
  console.error(`npm start: the tables of ${database} can't be created: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exit(1);
}

const wrangler = spawn(process.execPath, [createRequire(import.meta.url).resolve("wrangler"), "dev", ...process.argv.slice(2)], {
  stdio: "inherit",
});
const stop = (): void => void wrangler.kill();
// A terminal sends SIGINT to wrangler as well.
process.on("SIGINT", () => undefined);
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
whenParentEnds(stop);
wrangler.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGTERM" ? 0 : 1)));
