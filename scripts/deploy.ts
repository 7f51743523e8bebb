// `npm run deploy`: deploys the Worker, and then creates the tables of its database.
//
// The first deploy creates the database itself, so the tables come second. Until they are there, the couriers try again.
// Migrations only add, so the version before works with the new tables.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

import { deploySteps } from "./server/deploy-steps.ts";

const wrangler = createRequire(import.meta.url).resolve("wrangler");
for (const step of deploySteps(process.argv.slice(2))) {
  const { status } = spawnSync(process.execPath, [wrangler, ...step], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
